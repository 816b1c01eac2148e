import { type ByteSource, chooseProfile, cutContent } from '@cairn/content';
import type { Clock } from '@cairn/environment';
import type { FileStatus } from '@cairn/filesystem';
import type { ChunkProfile, EntryId, FileContent } from '@cairn/model';
import type { LocalNode } from '@cairn/planner';
import type { UploadSession } from '../ports.ts';
import type { ExecuteDeps } from './deps.ts';

/** A file that could not be read in one piece for this long is read as far as it was at one moment. */
const MAX_DELAY_MS = 2_000;
const FIRST_WAIT_MS = 50;
const LAST_WAIT_MS = 1_000;
/** A snapshot that is not on the server by then is not worth more than the next one. */
const HOLD_MS = 10_000;

interface Restless {
  readonly sinceMs: number;
  readonly attempts: number;
  readonly nextMs: number;
  readonly heldUntilMs: number;
}

/** Files that change faster than they can be read, and how each is dealt with so that it keeps nothing waiting. */
export class RestlessFiles {
  readonly #clock: Clock;
  readonly #files = new Map<EntryId, Restless>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** It changed while it was read. */
  changed(entryId: EntryId): void {
    const now = this.#clock.monotonicMs();
    const before = this.#files.get(entryId);
    const attempts = (before?.attempts ?? 0) + 1;
    const waitMs = Math.min(LAST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempts - 1, 10));
    const { sinceMs = now, heldUntilMs = 0 } = before ?? {};
    this.#files.set(entryId, { sinceMs, attempts, nextMs: now + waitMs, heldUntilMs });
  }

  rested(entryId: EntryId): void {
    this.#files.delete(entryId);
  }

  /** What was read of it counts until the server has it, however it changes meanwhile. */
  hold(entryId: EntryId): void {
    const now = this.#clock.monotonicMs();
    this.#files.set(entryId, { sinceMs: now, attempts: 0, nextMs: now, heldUntilMs: now + HOLD_MS });
  }

  isHeld(entryId: EntryId): boolean {
    return (this.#files.get(entryId)?.heldUntilMs ?? 0) > this.#clock.monotonicMs();
  }

  isWaiting(entryId: EntryId): boolean {
    return (this.#files.get(entryId)?.nextMs ?? 0) > this.#clock.monotonicMs();
  }

  needsSnapshot(entryId: EntryId): boolean {
    const file = this.#files.get(entryId);
    return (
      file !== undefined && file.attempts > 2 && this.#clock.monotonicMs() - file.sinceMs >= MAX_DELAY_MS
    );
  }

  /** Milliseconds until one that waits is due; `null` when none waits. */
  nextDueMs(): number | null {
    const now = this.#clock.monotonicMs();
    let next: number | null = null;
    for (const { nextMs } of this.#files.values())
      if (nextMs > now && (next === null || nextMs - now < next)) next = nextMs - now;
    return next;
  }
}

/**
 * The content of a file that is only ever appended to, as it was at one moment: as many bytes as it had then, read
 * twice with the same result. `null` when they differ, so that no such moment is known.
 */
export async function readSnapshot(
  deps: Pick<ExecuteDeps, 'filesystem' | 'trees' | 'local' | 'platform'>,
  node: LocalNode,
  profile: ChunkProfile | null,
  upload: UploadSession | null,
  signal: AbortSignal,
): Promise<{ readonly content: FileContent; readonly status: FileStatus } | null> {
  const path = deps.local.path(node.entryId);
  if (path === null) return null;
  const handle = await deps.filesystem.openRead(path);
  try {
    const status = await handle.status();
    if (status.identity !== node.identity) return null;
    const source = firstBytes(handle, status.sizeBytes);
    const remote = deps.trees.remote.get(node.entryId);
    const base = remote?.kind === 'file' ? remote.content : null;
    const chosen = profile ?? chooseProfile(status.sizeBytes, base?.manifest.profile ?? null);
    const describe = () =>
      cutContent(deps.platform, source, { profile: chosen, signal, emit: () => undefined });
    const content = upload === null ? await describe() : await upload.add(source, { profile: chosen, base });
    const again = await describe();
    const isSame = content.sizeBytes === status.sizeBytes && content.contentId === again.contentId;
    return isSame ? { content, status } : null;
  } finally {
    await handle.close();
  }
}

function firstBytes(source: ByteSource, sizeBytes: number): ByteSource {
  return {
    async read(into, position) {
      const length = Math.min(into.length, sizeBytes - position);
      return length <= 0 ? 0 : source.read(into.subarray(0, length), position);
    },
  };
}
