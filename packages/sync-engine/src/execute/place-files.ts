import type { Expectation, TemporaryFile } from '@cairn/filesystem';
import { type FileEntry, isCairnError } from '@cairn/model';
import type { LocalNode, SyncedNode } from '@cairn/planner';
import { observedFacts, parentPath } from '../local-tree.ts';
import { syncedFrom } from '../observe/follow.ts';
import type { DownloadDeps } from './deps.ts';

/**
 * Bounds of one group. Its files are written one after the other, made durable side by side (the disk's journal is
 * flushed once for many of them), then placed one after the other: in this order they wait for that journal least.
 * Two groups at once hold that many files open; each costs one flush of the notes about it.
 */
const GROUP = { files: 256, bytes: 4 * 1024 * 1024 } as const;
/** While one group is being flushed the next one is written. */
const MAX_GROUPS = 2;

/** Where a file goes, and what must be there until then. */
export interface Prepared {
  readonly entry: FileEntry;
  readonly path: string;
  readonly expected: Expectation;
  readonly node: LocalNode | undefined;
}

interface Complete {
  readonly file: Prepared;
  readonly sizeBytes: number;
  /** `null`: not written yet. */
  readonly temporary: TemporaryFile | null;
  /** The temporary with all bytes of the file. */
  write(): Promise<TemporaryFile>;
}

export interface Placer {
  /** Takes a file whose bytes are complete in a temporary. Waits while there is much to do. */
  add(file: Prepared, temporary: TemporaryFile): Promise<void>;
  /** Takes a file as its bytes, for a temporary of this name. */
  addBytes(file: Prepared, temporaryName: string, bytes: Uint8Array): Promise<void>;
  /** Resolves when all that was added is placed and noted, or its failure is. */
  finish(): Promise<void>;
}

/**
 * Makes fetched files durable, places them and notes them as agreed. What concerns one file is noted as its failure;
 * a full disk or a missing root is thrown, by the call after.
 */
export function createPlacer(deps: DownloadDeps): Placer {
  const { filesystem, failures } = deps;
  const running = new Set<Promise<void>>();
  let waiting: Complete[] = [];
  let waitingBytes = 0;
  let stopped: unknown = null;

  const isFull = (): boolean => waiting.length >= GROUP.files || waitingBytes >= GROUP.bytes;

  /** Small groups only while there is nothing else to do: that is how the first file comes early. */
  function startGroups(): void {
    if (waiting.length === 0 || running.size >= MAX_GROUPS) return;
    if (running.size > 0 && !isFull()) return;
    const group = waiting;
    waiting = [];
    waitingBytes = 0;
    const task = placeGroup(group).finally(() => {
      running.delete(task);
      startGroups();
    });
    running.add(task);
  }

  async function add(complete: Complete): Promise<void> {
    waiting.push(complete);
    waitingBytes += complete.sizeBytes;
    startGroups();
    while (isFull() && running.size >= MAX_GROUPS) await Promise.race(running);
    if (stopped !== null) throw stopped;
  }

  async function placeGroup(group: readonly Complete[]): Promise<void> {
    const written = await Promise.all(group.map((each) => attempt(each.file, each.temporary, each.write)));
    const syncing = Promise.all(
      group.map(async ({ file }, index) => {
        const temporary = written[index];
        if (temporary === null || temporary === undefined) return null;
        const { executable, modifiedAtUs } = file.entry;
        return attempt(file, temporary, async () => {
          await temporary.sync({ executable, modifiedAtUs });
          return temporary;
        });
      }),
    );
    let slot: number | null = null;
    try {
      // While the disk is busy with the files. Of one that fails nothing gets the name, so its note says nothing.
      const going = group.filter((_, index) => written[index] != null);
      slot = deps.placing.begin(going.map(({ file }) => agreedAfterPlacing(deps.trees, file)));
    } catch (error) {
      // What this device knows cannot be kept: nothing is placed.
      stopped ??= error;
    }
    const durable = await syncing;
    const ready = group.flatMap(({ file }, index) => {
      const temporary = durable[index];
      return temporary === null || temporary === undefined ? [] : [{ file, temporary }];
    });
    await Promise.all(
      ready.map(({ file, temporary }) => attempt(file, temporary, () => place(file, temporary))),
    );
    deps.placing.end(slot);
  }

  /** `null` after a failure, which is noted; the temporary then stays for another time. */
  async function attempt<T>(
    file: Prepared,
    temporary: TemporaryFile | null,
    work: () => Promise<T>,
  ): Promise<T | null> {
    try {
      if (stopped !== null) throw stopped;
      return await work();
    } catch (error) {
      await temporary?.close();
      if (isCairnError(error, 'root-missing', 'local-disk-full')) {
        stopped ??= error;
        return null;
      }
      if (isCairnError(error, 'local-changed')) deps.markDirty(parentPath(file.path));
      failures.record(file.entry.entryId, 'download', error);
      return null;
    }
  }

  async function place(file: Prepared, temporary: TemporaryFile): Promise<void> {
    const { entry, path, expected } = file;
    const { executable, modifiedAtUs } = entry;
    const status = await filesystem.place(temporary, path, expected, { executable, modifiedAtUs });
    const node = placedNode(file, observedFacts(status));
    deps.touchedFolders.add(parentPath(path));
    deps.local.put(node);
    failures.forget(entry.entryId);
    deps.noteDone('download', path);
    deps.trees.synced.put(agreedAfterPlacing(deps.trees, file));
  }

  function placedNode({ entry, node }: Prepared, facts: ReturnType<typeof observedFacts>): LocalNode {
    return {
      entryId: entry.entryId,
      parentId: node?.parentId ?? entry.parentId,
      name: node?.name ?? entry.name,
      kind: 'file',
      ...facts,
      // What we asked for, whatever precision the disk kept it with.
      executable: filesystem.capabilities.executableBit ? facts.executable : entry.executable,
      modifiedAtUs: entry.modifiedAtUs,
      content: entry.content,
      // New bytes do not change what it is a copy of.
      ...(node?.conflictOf === undefined ? {} : { conflictOf: node.conflictOf }),
      state: 'known',
    };
  }

  async function writeTemporary(name: string, bytes: Uint8Array): Promise<TemporaryFile> {
    const temporary = await filesystem.openTemporary(name);
    try {
      if (temporary.existingBytes > bytes.length) await temporary.truncate(bytes.length);
      if (bytes.length > 0) await temporary.write(bytes, 0);
      return temporary;
    } catch (error) {
      await temporary.close();
      throw error;
    }
  }

  return {
    add: (file, temporary) => add({ file, sizeBytes: 0, temporary, write: async () => temporary }),
    addBytes: (file, temporaryName, bytes) =>
      add({
        file,
        sizeBytes: bytes.length,
        temporary: null,
        write: () => writeTemporary(temporaryName, bytes),
      }),
    async finish() {
      for (startGroups(); running.size > 0; startGroups()) await Promise.race(running);
      if (stopped !== null) throw stopped;
    },
  };
}

/**
 * Only what was placed is agreed. Where the entry was replaced in a place that is not the remote's, the old
 * agreement about the place (and its sequence) stays, so that the move is still seen.
 */
function agreedAfterPlacing(
  { synced }: Pick<DownloadDeps['trees'], 'synced'>,
  { entry, node }: Prepared,
): SyncedNode {
  const agreed = syncedFrom(entry);
  const place = node ?? entry;
  if (place.parentId === entry.parentId && place.name === entry.name) return agreed;
  const { parentId, name, sequence } = synced.get(entry.entryId) ?? { ...place, sequence: 0 };
  return { ...agreed, parentId, name, sequence };
}
