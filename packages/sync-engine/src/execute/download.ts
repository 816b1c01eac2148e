import { allocateBytes } from '@cairn/content';
import type { TemporaryFile } from '@cairn/filesystem';
import {
  CairnError,
  type EntryId,
  type FileContent,
  type FileEntry,
  isCairnError,
  type ManifestPart,
} from '@cairn/model';
import { joinPath, parentPath } from '../local-tree.ts';
import type { ContentBase, ContentPiece } from '../ports.ts';
import { COPY_LANES } from './ahead-copies.ts';
import { createBufferLanes } from './buffer-lanes.ts';
import type { DownloadDeps } from './deps.ts';
import { isEngineWide } from './engine-wide.ts';
import { openLocalBase, readKnown, smallContentBase } from './local-base.ts';
import { createPlacer, type Prepared } from './place-files.ts';
import type { ReceivedFile } from './received-chunks.ts';
import { findTwins, openTwin, readTwin } from './twin-files.ts';

/** Files up to this size, of one chunk, are not worth resuming: they wait in memory for their turn to be written. */
const MAX_BYTES_IN_MEMORY = 128 * 1024;
/** A list of parts for one request of the reading side is cut at this many. */
const MAX_PARTS_AT_ONCE = 1000;

export interface Download {
  readonly entryId: EntryId;
  /** A local file of this id is there, unchanged as far as we know, and will be replaced. */
  readonly replace: boolean;
}

/** Fetches and places files; each is placed on its own and one that fails does not hold up the others. */
export async function downloadFiles(
  deps: DownloadDeps,
  downloads: readonly Download[],
  signal: AbortSignal,
): Promise<void> {
  const prepared: Prepared[] = [];
  for (const each of downloads) {
    const file = prepareDownload(deps, each);
    if (file !== null && !(await isStillTaken(deps, file))) prepared.push(file);
  }
  const fetchedFiles = new Set<Prepared>();
  const placing = createPlacer(deps);
  let failure: unknown = null;
  try {
    await fetchFiles(deps, prepared, signal, {
      onTemporary(temporary, file) {
        fetchedFiles.add(file);
        return placing.add(file, temporary);
      },
      onBytes(bytes, file) {
        fetchedFiles.add(file);
        return placing.addBytes(file, temporaryName(file.entry), bytes);
      },
    });
  } catch (error) {
    failure = error;
  }
  // What is on disk must be noted also when the rest could not be fetched.
  await placing.finish();
  if (failure === null) return;
  const left = prepared.filter(
    (file) => !fetchedFiles.has(file) && !deps.failures.isWaiting(file.entry.entryId),
  );
  const [first] = left;
  if (
    first === undefined ||
    signal.aborted ||
    isEngineWide(failure) ||
    isCairnError(failure, 'local-disk-full')
  )
    throw failure;
  // The server could not send something of one of them: it must not hold up the others.
  if (left.length === 1) {
    deps.failures.record(first.entry.entryId, 'download', failure);
    return;
  }
  const ids = new Set(left.map(({ entry }) => entry.entryId));
  for (const download of downloads) {
    if (ids.has(download.entryId)) await downloadFiles(deps, [download], signal);
  }
}

/**
 * Whether there is still something in the place of a file that found it taken before. Its bytes are not fetched again
 * for that: what is in the way may be left alone here for ever.
 */
async function isStillTaken(
  { filesystem, failures, markDirty }: DownloadDeps,
  file: Prepared,
): Promise<boolean> {
  const { entryId } = file.entry;
  if (!('absent' in file.expected) || failures.get(entryId)?.code !== 'local-changed') return false;
  try {
    if ((await filesystem.status(file.path)) === null) return false;
  } catch (error) {
    if (!isCairnError(error, 'local-io')) throw error;
    return false;
  }
  markDirty(parentPath(file.path));
  failures.record(
    entryId,
    'download',
    new CairnError('local-changed', 'there is something else in its place; move that away or rename it'),
  );
  return true;
}

/** Where the file goes and what must be there now; `null` when that is not clear yet (a later plan will know). */
export function prepareDownload(deps: DownloadDeps, { entryId, replace }: Download): Prepared | null {
  const { trees, local } = deps;
  const entry = trees.remote.get(entryId);
  if (entry === undefined || entry.kind !== 'file' || entry.parentId === null) return null;
  const node = local.get(entryId);
  if (replace) {
    const path = local.path(entryId);
    if (node === undefined || path === null) return null;
    // Written to while the engine moved it, after the plan: what nobody has read yet is not replaced.
    if (node.kind === 'file' && node.content === null) return null;
    return { entry, path, expected: { fingerprint: node.fingerprint }, node };
  }
  const folder = local.path(entry.parentId);
  if (node !== undefined || folder === null) return null;
  const path = joinPath(folder, entry.name);
  if (deps.isIgnored(path)) return null;
  return { entry, path, expected: { absent: true }, node: undefined };
}

export interface FetchHandlers {
  /** A file's bytes are complete in a temporary. */
  onTemporary(temporary: TemporaryFile, file: Prepared): Promise<void>;
  /** All bytes of a small file; without this small files come in temporaries, too. */
  onBytes?(bytes: Uint8Array, file: Prepared): Promise<void>;
}

/**
 * Brings the bytes of each file into a temporary file: first what was received ahead, or what an interrupted download
 * left there, then what another file on this disk with the same content has, or else the file's present content, then the
 * rest from the server in one stream over all files. Every byte is checked against its block id before it counts.
 */
export async function fetchFiles(
  deps: DownloadDeps,
  files: readonly Prepared[],
  signal: AbortSignal,
  handlers: FetchHandlers,
): Promise<void> {
  const { failures, counters } = deps;
  const open = new Map<Prepared, TemporaryFile>();
  const wanted: (Missing & { file: Prepared })[] = [];
  const lastIndex = new Map<Prepared, number>();
  const twins = findTwins(
    deps.local,
    files.map(({ entry }) => entry),
  );
  try {
    for (const file of files) {
      const twin = twins.get(file.entry.content.contentId) ?? null;
      if (handlers.onBytes !== undefined && fitsInMemory(file.entry.content)) {
        const base = smallContentBase(deps, file.path, file.node?.content);
        const copied = twin === null ? null : await readTwin(deps, twin, file.entry.content);
        if (copied !== null) {
          counters.reusedBytes += copied.length;
          await handlers.onBytes(copied, file);
          continue;
        }
        wanted.push({ file, content: file.entry.content, positions: [0], base });
        continue;
      }
      try {
        const name = temporaryName(file.entry);
        const ahead = await deps.ahead.claim(file.entry, name);
        const temporary = ahead?.temporary ?? (await deps.filesystem.openTemporary(name));
        open.set(file, temporary);
        const missing = await findMissingParts(deps, file, temporary, { ahead, twin }, signal);
        if (missing === null) {
          wanted.push({ file, content: file.entry.content, positions: [0], base: null });
        } else {
          for (const piece of missing) wanted.push({ file, ...piece });
        }
        lastIndex.set(file, wanted.length - 1);
        if (missing !== null && missing.length === 0) {
          open.delete(file);
          if (ahead?.chunks.areAllCopied === false) counters.downloadedFiles++;
          await handlers.onTemporary(temporary, file);
        }
      } catch (error) {
        await fail(file, error);
      }
    }
    const failed = new Set<Prepared>();
    const pieces = deps.space.readContents(
      wanted.map(({ content, base }) => ({ content, base })),
      { signal },
    );
    for await (const piece of pieces) {
      const want = wanted[piece.index];
      if (want === undefined || failed.has(want.file)) continue;
      const temporary = open.get(want.file);
      if (temporary === undefined) {
        if (!lastIndex.has(want.file)) await takeBytes(want.file, piece);
        continue;
      }
      try {
        await writePiece(temporary, want.content, want.positions, piece);
        counters.downloadedBytes += piece.bytes.length;
        if (!piece.last || lastIndex.get(want.file) !== piece.index) continue;
        open.delete(want.file);
        counters.downloadedFiles++;
        await handlers.onTemporary(temporary, want.file);
      } catch (error) {
        failed.add(want.file);
        await fail(want.file, error);
      }
    }
  } finally {
    for (const temporary of open.values()) await temporary.close();
  }

  async function takeBytes(file: Prepared, { bytes, position, last }: ContentPiece): Promise<void> {
    if (position !== 0 || !last) throw new Error('a content of one chunk came in several pieces');
    counters.downloadedBytes += bytes.length;
    counters.downloadedFiles++;
    // They wait for their turn to be written, and the memory that they came in is used again.
    await handlers.onBytes?.(new Uint8Array(bytes), file);
  }

  async function fail(file: Prepared, error: unknown): Promise<void> {
    const temporary = open.get(file);
    open.delete(file);
    await temporary?.close();
    if (signal.aborted || isCairnError(error, 'root-missing', 'local-disk-full')) throw error;
    failures.record(file.entry.entryId, 'download', error);
  }
}

function fitsInMemory({ sizeBytes, manifest }: FileContent): boolean {
  return sizeBytes <= MAX_BYTES_IN_MEMORY && manifest.depth === 0 && manifest.parts.length <= 1;
}

/** Writes a piece of a list of parts to where each part belongs in the file. */
async function writePiece(
  temporary: TemporaryFile,
  content: FileContent,
  positions: readonly number[],
  piece: ContentPiece,
): Promise<void> {
  if (positions.length === 1) {
    await temporary.write(piece.bytes, (positions[0] ?? 0) + piece.position);
    return;
  }
  let start = 0;
  for (const [index, part] of content.manifest.parts.entries()) {
    const end = start + part.sizeBytes;
    const from = Math.max(start, piece.position);
    const to = Math.min(end, piece.position + piece.bytes.length);
    if (from < to) {
      const bytes = piece.bytes.subarray(from - piece.position, to - piece.position);
      await temporary.write(bytes, (positions[index] ?? 0) + from - start);
    }
    start = end;
    if (start >= piece.position + piece.bytes.length) break;
  }
}

function temporaryName(entry: FileEntry): string {
  return `${entry.entryId}-${entry.content.contentId.slice(2, 34)}`;
}

/** A list of parts to fetch, with their positions in the file. */
interface Missing {
  readonly content: FileContent;
  readonly positions: readonly number[];
  /** What of the file on this disk they may be like. */
  readonly base: ContentBase | null;
}

/**
 * Fills the temporary file from what is on this disk already. Returns lists of the parts to fetch, with their
 * positions in the file; `null` when the whole content is to be fetched as it is.
 */
async function findMissingParts(
  deps: DownloadDeps,
  file: Prepared,
  temporary: TemporaryFile,
  { ahead, twin }: { readonly ahead: ReceivedFile | null; readonly twin: string | null },
  signal: AbortSignal,
): Promise<Missing[] | null> {
  const { content } = file.entry;
  const resumable = ahead?.writtenBytes ?? temporary.existingBytes;
  const copied = twin !== null ? await openTwin(deps, twin) : null;
  // The twin has the very content, the file itself an older one.
  const base = copied !== null ? content : (file.node?.content ?? null);
  if (resumable === 0 && (base === null || base.sizeBytes === 0)) return null;
  let handle = copied;
  const lanes = createBufferLanes(COPY_LANES, (sizeBytes) => allocateBytes(deps.platform, sizeBytes));
  try {
    const basePath = copied === null ? file.path : (twin ?? file.path);
    const known = base === null ? null : await openLocalBase(deps, basePath, base, signal);
    if (known !== null) handle ??= await deps.filesystem.openRead(file.path);
    const source = handle;
    const missing: { part: ManifestPart; position: number }[] = [];
    let position = 0;
    for await (const part of deps.space.listChunks(content, signal, base)) {
      const at = position;
      position += part.sizeBytes;
      known?.next(part);
      // Of what was received ahead it is known what is where; what a process before left is hashed.
      if (ahead?.chunks.has(at, part) === true) {
        if (ahead.chunks.isCopied(at)) deps.counters.reusedBytes += part.sizeBytes;
        else deps.counters.aheadBytes += part.sizeBytes;
        continue;
      }
      const from = source === null ? undefined : known?.positionOf(part.block);
      const mayBeThere = ahead === null && position <= resumable;
      if (!mayBeThere && from === undefined) {
        missing.push({ part, position: at });
        continue;
      }
      await lanes.begin(part.sizeBytes, async (buffer) => {
        if (mayBeThere && (await readKnown(deps.platform, temporary, at, part, buffer)) !== null) return;
        const bytes = source === null ? null : await readKnown(deps.platform, source, from, part, buffer);
        if (bytes === null) {
          missing.push({ part, position: at });
          return;
        }
        await temporary.write(bytes, at);
        deps.counters.reusedBytes += bytes.length;
      });
    }
    await lanes.end();
    missing.sort((one, other) => one.position - other.position);
    if (resumable > content.sizeBytes) await temporary.truncate(content.sizeBytes);
    return groupParts(content, missing, known?.toContentBase() ?? null);
  } finally {
    // Whoever fails waits for the others: what they use is closed now.
    await lanes.end().catch(() => undefined);
    await handle?.close();
  }
}

/** Lists of parts as contents of their own, so that they are read like any file. */
function groupParts(
  content: FileContent,
  missing: readonly { part: ManifestPart; position: number }[],
  base: ContentBase | null,
): Missing[] {
  const groups: Missing[] = [];
  for (let start = 0; start < missing.length; start += MAX_PARTS_AT_ONCE) {
    const group = missing.slice(start, start + MAX_PARTS_AT_ONCE);
    const parts = group.map(({ part }) => part);
    groups.push({
      content: {
        contentId: content.contentId,
        sizeBytes: parts.reduce((sum, part) => sum + part.sizeBytes, 0),
        manifest: { profile: content.manifest.profile, depth: 0, parts },
      },
      positions: group.map(({ position }) => position),
      base,
    });
  }
  return groups;
}
