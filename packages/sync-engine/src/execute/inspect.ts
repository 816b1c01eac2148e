import { type ByteSource, chooseProfile, cutContent } from '@cairn/content';
import type { FileStatus } from '@cairn/filesystem';
import {
  type AnnouncedFile,
  CairnError,
  type ChunkProfile,
  type EntryId,
  type FileContent,
  isCairnError,
} from '@cairn/model';
import type { LocalNode } from '@cairn/planner';
import { observedFacts, parentPath } from '../local-tree.ts';
import type { UploadSession } from '../ports.ts';
import { forEachConcurrently } from './concurrency.ts';
import type { DownloadDeps, ExecuteDeps } from './deps.ts';
import { recognisePlaced } from './placing-notes.ts';
import { readSnapshot } from './read-snapshot.ts';

/** A file must have rested this long before it is read: a later write then shows in its times. */
export const SETTLE_MS = 20;
/** The same where times are whole seconds: FAT's steps are of two. */
const COARSE_SETTLE_MS = 2_020;
const FILES_AT_ONCE = 4;

export interface Inspection {
  readonly entryId: EntryId;
  readonly profile: ChunkProfile | null;
  readonly uploadExpected: boolean;
}

type InspectDeps = Pick<
  ExecuteDeps,
  | 'filesystem'
  | 'space'
  | 'trees'
  | 'local'
  | 'platform'
  | 'environment'
  | 'failures'
  | 'restless'
  | 'uploaded'
  | 'counters'
  | 'markDirty'
> &
  Pick<DownloadDeps, 'placing'>;

/**
 * Reads files and notes their contents in the local tree. Where the bytes will be pushed anyway they are
 * uploaded in the same pass, packed together; nobody sees them on the server until a commit names them.
 * @param announces the only file, where other devices of the account shall hear how far it has come
 */
export async function inspectFiles(
  deps: InspectDeps,
  inspections: Iterable<Inspection>,
  signal: AbortSignal,
  announces?: AnnouncedFile,
): Promise<void> {
  const { local, failures, counters } = deps;
  const sending: { session: UploadSession | null } = { session: null };
  const uploadedHere: FileContent[] = [];
  try {
    await forEachConcurrently(inspections, FILES_AT_ONCE, async (inspection) => {
      const node = local.get(inspection.entryId);
      if (node === undefined || node.kind !== 'file') return;
      try {
        if (inspection.uploadExpected) sending.session ??= deps.space.createUpload({ signal, announces });
        const upload = inspection.uploadExpected ? sending.session : null;
        if (deps.restless.needsSnapshot(node.entryId)) {
          const snapshot = await readSnapshot(deps, node, inspection.profile, upload, signal);
          const known = local.get(node.entryId);
          if (snapshot === null || known === undefined) {
            deps.restless.changed(node.entryId);
            return;
          }
          local.put({ ...known, ...observedFacts(snapshot.status), content: snapshot.content });
          deps.restless.hold(node.entryId);
          if (upload !== null) uploadedHere.push(snapshot.content);
          failures.forget(inspection.entryId);
          return;
        }
        const content = await readStable(deps, node, inspection.profile, upload, signal);
        if (content === null) {
          deps.restless.changed(node.entryId);
          return;
        }
        deps.restless.rested(node.entryId);
        const now = local.get(inspection.entryId);
        // Something else was seen meanwhile: what was read is of no use.
        if (now === undefined || now.fingerprint !== node.fingerprint) return;
        local.put({ ...now, content });
        recognisePlaced(deps, now.entryId);
        if (upload !== null) uploadedHere.push(content);
        failures.forget(inspection.entryId);
      } catch (error) {
        if (isEngineWide(error) || signal.aborted) throw error;
        if (isCairnError(error, 'local-changed')) {
          deps.restless.changed(inspection.entryId);
          const path = local.path(inspection.entryId);
          if (path !== null) deps.markDirty(parentPath(path));
        } else failures.record(inspection.entryId, 'inspect', error);
      }
    });
    const { session } = sending;
    if (session !== null) {
      await session.flush();
      for (const content of uploadedHere) deps.uploaded.add(content.contentId);
      counters.uploadedFiles += uploadedHere.length;
      counters.uploadedBytes += session.sentBytes;
    }
  } catch (error) {
    sending.session?.abort();
    throw error;
  }
}

/** Errors that are about the connection or the account, not about one file. */
export function isEngineWide(error: unknown): boolean {
  return isCairnError(
    error,
    'server-unreachable',
    'not-a-cairn-server',
    'protocol-mismatch',
    'session-revoked',
    'not-signed-in',
    'token-expired',
    'storage-full',
    'quota-exceeded',
    'unavailable',
    'internal',
    'limit-reached',
    'too-many-attempts',
    'root-missing',
    'cancelled',
  );
}

/**
 * The file's content at one instant: its status is the node's before and after reading. `null` (and a new scan)
 * when it changed or vanished.
 */
export async function readStable(
  deps: Pick<InspectDeps, 'filesystem' | 'trees' | 'local' | 'platform' | 'environment' | 'markDirty'>,
  node: LocalNode,
  profile: ChunkProfile | null,
  upload: UploadSession | null,
  signal: AbortSignal,
): Promise<FileContent | null> {
  const path = deps.local.path(node.entryId);
  if (path === null) return null;
  const changed = (): null => {
    deps.markDirty(parentPath(path));
    return null;
  };
  let handle: Awaited<ReturnType<InspectDeps['filesystem']['openRead']>>;
  try {
    handle = await deps.filesystem.openRead(path);
  } catch (error) {
    // Also where a link or a folder took its place.
    if (isCairnError(error, 'not-found', 'local-changed', 'not-a-file')) return changed();
    throw error;
  }
  try {
    const before = await handle.status();
    if (before.fingerprint !== node.fingerprint) return changed();
    await waitUntilSettled(deps, before, signal);
    const remote = deps.trees.remote.get(node.entryId);
    const base = remote?.kind === 'file' ? remote.content : null;
    const chosen = profile ?? chooseProfile(before.sizeBytes, base?.manifest.profile ?? null);
    const content = await withSource(handle, before.sizeBytes, async (source) =>
      upload === null
        ? cutContent(deps.platform, source, { profile: chosen, signal, emit: () => undefined })
        : upload.add(source, { profile: chosen, base }),
    );
    const after = await handle.status();
    if (after.fingerprint !== node.fingerprint || content.sizeBytes !== after.sizeBytes) return changed();
    // Reading much takes its time: what has another file in its place by now need not go to the server.
    if (
      after.sizeBytes > SMALL_BYTES &&
      (await deps.filesystem.status(path))?.fingerprint !== node.fingerprint
    )
      return changed();
    return content;
  } finally {
    await handle.close();
  }
}

const SMALL_BYTES = 64 * 1024;
/** Buffers of small files, used again and again: thousands of small reads would otherwise be that much garbage. */
const spareBuffers: Uint8Array[] = [];

/** Small files are read in one go: their session never waits on the disk while holding a place in a pack. */
async function withSource<Result>(
  source: ByteSource,
  sizeBytes: number,
  use: (source: ByteSource) => Promise<Result>,
): Promise<Result> {
  if (sizeBytes > SMALL_BYTES) return use(source);
  const bytes = spareBuffers.pop() ?? new Uint8Array(SMALL_BYTES + 1);
  let length = 0;
  // One byte more is asked for, so that growth shows; without it, the status afterwards tells of any change.
  while (length < sizeBytes) {
    const count = await source.read(bytes.subarray(length, sizeBytes + 1), length);
    if (count === 0) break;
    length += count;
  }
  if (length > sizeBytes)
    throw new CairnError('local-changed', 'the file grew while it was read; it will be read again');
  const result = await use({
    async read(into, position) {
      const count = Math.max(0, Math.min(into.length, length - position));
      into.set(bytes.subarray(position, position + count));
      return count;
    },
  });
  // Not after an error: somebody might still read from it.
  if (spareBuffers.length < FILES_AT_ONCE) spareBuffers.push(bytes);
  return result;
}

async function waitUntilSettled(
  { environment }: Pick<InspectDeps, 'environment'>,
  status: FileStatus,
  signal: AbortSignal,
): Promise<void> {
  const ageMs = environment.clock.now() - Number(status.changedAtNs / 1_000_000n);
  const settleMs = status.changedAtNs % 1_000_000_000n === 0n ? COARSE_SETTLE_MS : SETTLE_MS;
  // A change far in the future is a clock that differs, not a file that is being written.
  if (ageMs < settleMs && ageMs > -1000)
    await environment.timers.sleep(settleMs - Math.max(0, ageMs), signal);
}
