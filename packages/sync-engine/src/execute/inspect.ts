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
import { isEngineWide } from './engine-wide.ts';
import { recognisePlaced } from './placing-notes.ts';
import { readSnapshot } from './read-snapshot.ts';
import { findLikelyOriginal } from './twin-files.ts';

/** A file must have rested this long before it is read: a later write then shows in its times. */
export const SETTLE_MS = 20;
/** The same where times are whole seconds: FAT's steps are of two. */
const COARSE_SETTLE_MS = 2_020;
const FILES_AT_ONCE = 4;
/** Files that are read in one go. */
const SMALL_BYTES = 64 * 1024;

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
 * @param options.areFew worth packs of their own: small ones are sent ahead while they rest
 * @param options.announces the only file, where other devices of the account shall hear how far it has come
 */
export async function inspectFiles(
  deps: InspectDeps,
  inspections: Iterable<Inspection>,
  signal: AbortSignal,
  {
    areFew = false,
    announces,
  }: { readonly areFew?: boolean; readonly announces?: AnnouncedFile | undefined } = {},
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
        const sendsAhead = areFew && !deps.restless.isRestless(node.entryId);
        const content = await readStable(deps, node, inspection.profile, upload, signal, { sendsAhead });
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
  { sendsAhead = false }: { readonly sendsAhead?: boolean } = {},
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
    const remote = deps.trees.remote.get(node.entryId);
    const original = upload === null ? null : findLikelyOriginal(deps, before.sizeBytes);
    const base = remote?.kind === 'file' ? remote.content : original;
    const chosen = profile ?? chooseProfile(before.sizeBytes, base?.manifest.profile ?? null);
    const read = () =>
      withSource(handle, before.sizeBytes, async (source) =>
        upload === null
          ? cutContent(deps.platform, source, { profile: chosen, signal, emit: () => undefined })
          : upload.add(source, { profile: chosen, base }),
      );
    const waitMs = restMs(deps, before);
    if (waitMs > 0) {
      const goesAhead = sendsAhead && upload !== null && before.sizeBytes <= SMALL_BYTES;
      const ahead = goesAhead ? sendAhead(read, upload) : Promise.resolve();
      await Promise.allSettled([deps.environment.timers.sleep(waitMs, signal), ahead]);
      signal.throwIfAborted();
      await ahead;
    }
    const content = await read();
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

/**
 * Sends the bytes of a file that has not rested yet. What is read then counts for nothing: if it is the same as what is read
 * for good, the server has it already.
 */
async function sendAhead(read: () => Promise<FileContent>, upload: UploadSession): Promise<void> {
  try {
    await read();
  } catch (error) {
    // It is being written: the reading for good tells what of it.
    if (!isCairnError(error, 'local-changed')) throw error;
  }
  await upload.flush();
}

/** How long it has to rest yet before it is read, in milliseconds. */
function restMs({ environment }: Pick<InspectDeps, 'environment'>, status: FileStatus): number {
  const ageMs = environment.clock.now() - Number(status.changedAtNs / 1_000_000n);
  const settleMs = status.changedAtNs % 1_000_000_000n === 0n ? COARSE_SETTLE_MS : SETTLE_MS;
  // A change far in the future is a clock that differs, not a file that is being written.
  return ageMs < settleMs && ageMs > -1000 ? settleMs - Math.max(0, ageMs) : 0;
}
