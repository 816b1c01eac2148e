import type { FileStatus, Filesystem } from '@cairn/filesystem';
import { type EntryId, isCairnError } from '@cairn/model';
import { descendantsIn, joinPath, type LocalTree } from '../local-tree.ts';
import type { UnsyncedReason } from './collect.ts';

/** How many things in places that are left out are looked at for something that vanished elsewhere. */
const MAX_LOOKS = 2000;

interface HiddenMovesDeps {
  readonly filesystem: Filesystem;
  readonly local: LocalTree;
}

/** Something on disk that this device leaves out. */
export interface LeftOutPlace {
  readonly path: string;
  readonly reason: UnsyncedReason;
  /** It was seen just now. */
  readonly isNews: boolean;
}

export interface HiddenMoves {
  readonly entryIds: readonly EntryId[];
  /** Something that was seen just now is gone: it may be one of them, on its way. */
  readonly moving: boolean;
}

/**
 * Which of these entries, or of what is below them, were not removed but moved to where this device does not look:
 * anywhere in a place that is not selected; as to what is ignored, folders that got an ignored name, and what was put
 * right into an ignored folder. Files with ignored names are what programs make of files they replace.
 */
export async function findHiddenMoves(
  { filesystem, local }: HiddenMovesDeps,
  vanished: readonly EntryId[],
  leftOut: Iterable<LeftOutPlace>,
): Promise<HiddenMoves> {
  const wanted = new Map<string, { id: EntryId; isFolder: boolean }>();
  for (const top of vanished)
    for (const id of [top, ...descendantsIn(local, top)]) {
      const node = local.get(id);
      if (node !== undefined) wanted.set(node.identity, { id, isFolder: node.kind === 'folder' });
    }
  const found = new Set<EntryId>();
  let looks = 0;
  let moving = false;
  for (const { path, reason, isNews } of leftOut) {
    if (looks >= MAX_LOOKS) break;
    if (reason !== 'not-selected' && reason !== 'ignored') continue;
    const open: { path: string; status: FileStatus | null; depth: number }[] = [];
    open.push({ path, status: await lookAt(path), depth: 0 });
    if (isNews && open[0]?.status === null) moving = true;
    for (let at = open.pop(); at !== undefined && looks < MAX_LOOKS; at = open.pop()) {
      looks++;
      if (at.status === null) continue;
      const known = wanted.get(at.status.identity);
      const counts = at.status.kind === 'folder' || at.depth > 0 || reason === 'not-selected';
      if (known !== undefined && counts && known.isFolder === (at.status.kind === 'folder'))
        found.add(known.id);
      if (at.status.kind !== 'folder' || (reason === 'ignored' && at.depth > 0)) continue;
      for (const item of await list(at.path))
        open.push({ path: joinPath(at.path, item.name), status: item.status, depth: at.depth + 1 });
    }
  }
  return { entryIds: [...found], moving };

  async function lookAt(path: string): Promise<FileStatus | null> {
    try {
      return await filesystem.status(path);
    } catch (error) {
      if (!isCairnError(error, 'local-io')) throw error;
      return null;
    }
  }

  async function list(path: string): Promise<Awaited<ReturnType<Filesystem['list']>>> {
    try {
      return await filesystem.list(path);
    } catch (error) {
      if (!isCairnError(error, 'local-io', 'not-found')) throw error;
      return [];
    }
  }
}
