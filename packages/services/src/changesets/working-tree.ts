import type { EntryRecord, MetadataReader, SpaceRecord } from '@cairn/metadata-store';
import type { EntryId } from '@cairn/model';

/**
 * The part of a space's tree that one changeset touches, as it is after the changes applied so far. What the
 * changeset does not name is loaded when asked for; what it changed shadows the database.
 */
export interface WorkingTree {
  /** Loads rows, live or trashed, in one go. */
  load(entryIds: readonly EntryId[]): Promise<void>;
  /** A loaded row as it is now. */
  get(entryId: EntryId): EntryRecord | undefined;
  /** A loaded row as it was before the changeset. */
  original(entryId: EntryId): EntryRecord | undefined;
  isTouched(entryId: EntryId): boolean;
  /** Records what a change made of an entry. */
  put(record: EntryRecord): void;
  /** The live entry's ancestors from its parent up to the root. */
  ancestors(entryId: EntryId): Promise<EntryRecord[]>;
  /** The live entry and everything live below it, parents before children. */
  subtree(entryId: EntryId): Promise<EntryRecord[]>;
}

export function createWorkingTree(reader: MetadataReader, space: SpaceRecord): WorkingTree {
  const { spaceId } = space;
  const originals = new Map<EntryId, EntryRecord | undefined>();
  const current = new Map<EntryId, EntryRecord>();
  const touched = new Set<EntryId>();
  const children = new Map<EntryId, Set<EntryId>>();
  /** Folders whose live children before the changeset are all loaded. */
  const complete = new Set<EntryId>();

  function index(record: EntryRecord): void {
    const before = current.get(record.entryId);
    if (before?.parentId != null) children.get(before.parentId)?.delete(record.entryId);
    current.set(record.entryId, record);
    if (record.parentId === null || record.trashId !== null) return;
    const siblings = children.get(record.parentId);
    if (siblings === undefined) children.set(record.parentId, new Set([record.entryId]));
    else siblings.add(record.entryId);
  }

  function learn(record: EntryRecord): void {
    if (originals.has(record.entryId)) return;
    originals.set(record.entryId, record);
    index(record);
  }

  async function completeBelow(entryId: EntryId): Promise<void> {
    if (complete.has(entryId)) return;
    for (const record of await reader.listSubtree(spaceId, entryId)) {
      learn(record);
      if (record.kind === 'folder') complete.add(record.entryId);
    }
    complete.add(entryId);
  }

  return {
    async load(entryIds) {
      const wanted = [...new Set(entryIds)].filter((entryId) => !originals.has(entryId));
      if (wanted.length === 0) return;
      const records = await reader.getEntries(spaceId, wanted);
      for (const [position, entryId] of wanted.entries()) {
        const record = records[position];
        if (record === undefined) originals.set(entryId, undefined);
        else learn(record);
      }
    },
    get: (entryId) => current.get(entryId),
    original: (entryId) => originals.get(entryId),
    isTouched: (entryId) => touched.has(entryId),
    put(record) {
      if (!current.has(record.entryId)) {
        if (!originals.has(record.entryId)) originals.set(record.entryId, undefined);
        complete.add(record.entryId);
      }
      touched.add(record.entryId);
      index(record);
    },
    async ancestors(entryId) {
      const found: EntryRecord[] = [];
      let parentId = current.get(entryId)?.parentId ?? null;
      let child = entryId;
      while (parentId !== null) {
        let parent = current.get(parentId);
        if (parent === undefined) {
          // An unknown parent is untouched, and so is the child's row in the database.
          for (const record of await reader.listAncestors(spaceId, child)) learn(record);
          parent = current.get(parentId);
          if (parent === undefined) throw new Error(`entry ${parentId} is missing above ${child}`);
        }
        found.push(parent);
        child = parentId;
        parentId = parent.parentId;
      }
      return found;
    },
    async subtree(entryId) {
      const top = current.get(entryId);
      if (top === undefined) return [];
      const found: EntryRecord[] = [top];
      for (let position = 0; position < found.length; position++) {
        const record = found[position] as EntryRecord;
        if (record.kind !== 'folder') continue;
        await completeBelow(record.entryId);
        for (const childId of children.get(record.entryId) ?? []) {
          const child = current.get(childId);
          if (child !== undefined) found.push(child);
        }
      }
      return found;
    },
  };
}
