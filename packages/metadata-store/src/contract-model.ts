import { type EntryId, foldName, type SpaceId } from '@cairn/model';
import { folder } from './contract-fixture.ts';
import type { EntryRecord, TrashRecord } from './records.ts';

/** The model refuses an operation, or the state at the end of a transaction. */
export class ModelRefusal extends Error {}

/**
 * Entries and trash of one space as plain maps: what a metadata store should do, written for reading. Operations
 * check what must hold after each of them, `check` what must hold when a transaction commits.
 */
export interface Model {
  readonly rootId: EntryId;
  readonly entries: ReadonlyMap<EntryId, EntryRecord>;
  readonly trashed: ReadonlyMap<EntryId, TrashRecord>;
  copy(): Model;
  insert(entry: EntryRecord): void;
  update(entries: readonly EntryRecord[]): void;
  vacate(entryIds: readonly EntryId[]): void;
  trash(record: TrashRecord): void;
  restore(entryId: EntryId, parentId: EntryId, name: string, sequence: number): void;
  subtree(entryId: EntryId): EntryRecord[];
  check(): void;
}

function refuse(reason: string): never {
  throw new ModelRefusal(reason);
}

interface State {
  readonly entries: Map<EntryId, EntryRecord>;
  readonly trashed: Map<EntryId, TrashRecord>;
  readonly vacated: Set<EntryId>;
}

/** A space with nothing but its root. */
export function createModel(spaceId: SpaceId, rootId: EntryId): Model {
  const root = folder('', null, { spaceId, entryId: rootId });
  return fromState(rootId, { entries: new Map([[rootId, root]]), trashed: new Map(), vacated: new Set() });
}

function fromState(rootId: EntryId, state: State): Model {
  const { entries, trashed, vacated } = state;

  function change(entryId: EntryId, over: Partial<EntryRecord>): void {
    const before = entries.get(entryId) as EntryRecord;
    const after = { ...before, ...over };
    if (after.kind !== before.kind) refuse('another kind');
    if (after.sequence < before.sequence) refuse('a sequence that goes back');
    if (entryId === rootId && (after.parentId !== null || after.trashId !== null)) refuse('a moved root');
    entries.set(entryId, after);
  }

  function subtree(entryId: EntryId): EntryRecord[] {
    const top = entries.get(entryId);
    if (top === undefined) return [];
    const found = [top];
    for (const folderRow of found) {
      for (const entry of entries.values()) {
        if (entry.parentId === folderRow.entryId && entry.trashId === top.trashId) found.push(entry);
      }
    }
    return found;
  }

  /** What holds after every operation. */
  function checkRows(): void {
    const taken = new Set<string>();
    for (const entry of entries.values()) {
      const { entryId, parentId, trashId, name } = entry;
      if (parentId === null) {
        if (entryId !== rootId && trashId !== entryId) refuse('an entry without a parent');
        if (entryId === rootId && name !== '') refuse('a named root');
        continue;
      }
      if (name === '') refuse('no name');
      const place = `${parentId} ${trashId} ${vacated.has(entryId) ? `/${entryId}` : foldName(name)}`;
      if (taken.has(place)) refuse('a taken name');
      taken.add(place);
      const above = new Set<EntryId>();
      for (let at: EntryId | null = entryId; at !== null; at = entries.get(at)?.parentId ?? null) {
        if (above.has(at)) refuse('a cycle');
        above.add(at);
      }
    }
  }

  /** Children of entries that leave the trash become items of their own, unless they leave it too. */
  function leaveTrash(leaving: ReadonlySet<EntryId>): void {
    const items: TrashRecord[] = [];
    const pathOf = (entryId: EntryId): string => {
      const item = trashed.get(entryId);
      if (item !== undefined) return item.path;
      const entry = entries.get(entryId) as EntryRecord;
      return `${pathOf(entry.parentId as EntryId)}/${entry.name}`;
    };
    for (const entry of entries.values()) {
      if (entry.trashId === null || entry.parentId === null || leaving.has(entry.entryId)) continue;
      if (!leaving.has(entry.parentId)) continue;
      const item = trashed.get(entry.trashId) as TrashRecord;
      const { entryId, parentId, name } = entry;
      items.push({ ...item, entryId, parentId, name, path: pathOf(entryId) });
    }
    const parts = items.map((item) => subtree(item.entryId));
    // From the top down: an item inside another one ends up with its own.
    for (const [index, item] of items.entries()) {
      for (const row of parts[index] as EntryRecord[]) {
        const inner = items.some(
          (other) =>
            other !== item &&
            parts[index]?.some((one) => one.entryId === other.entryId) &&
            subtree(other.entryId).some((one) => one.entryId === row.entryId),
        );
        if (inner) continue;
        entries.set(row.entryId, {
          ...(entries.get(row.entryId) as EntryRecord),
          trashId: item.entryId,
          ...(row.entryId === item.entryId ? { parentId: null } : {}),
        });
      }
      trashed.set(item.entryId, item);
    }
    for (const entryId of leaving) trashed.delete(entryId);
  }

  return {
    rootId,
    entries,
    trashed,
    copy: () =>
      fromState(rootId, {
        entries: new Map(entries),
        trashed: new Map(trashed),
        vacated: new Set(vacated),
      }),
    insert(entry) {
      if (entries.has(entry.entryId)) refuse('an entry that is there');
      entries.set(entry.entryId, entry);
      checkRows();
    },
    update(batch) {
      for (const { entryId } of batch) if (!entries.has(entryId)) refuse('no such entry');
      leaveTrash(
        new Set(
          batch.filter(({ entryId }) => entries.get(entryId)?.trashId !== null).map(({ entryId }) => entryId),
        ),
      );
      for (const entry of batch) {
        change(entry.entryId, entry);
        vacated.delete(entry.entryId);
      }
      checkRows();
    },
    vacate(entryIds) {
      for (const entryId of entryIds) {
        if (entries.get(entryId)?.trashId === null) vacated.add(entryId);
      }
    },
    trash(record) {
      const top = entries.get(record.entryId);
      if (top === undefined || top.trashId !== null) refuse('nothing live to trash');
      const gone = subtree(record.entryId);
      for (const { entryId } of gone) change(entryId, { trashId: record.entryId });
      change(record.entryId, { parentId: null, sequence: record.sequence });
      // Names given up stand again where nobody took them meanwhile.
      for (const { entryId } of gone) {
        if (!vacated.delete(entryId)) continue;
        try {
          checkRows();
        } catch {
          vacated.add(entryId);
        }
      }
      trashed.set(record.entryId, record);
      checkRows();
    },
    restore(entryId, parentId, name, sequence) {
      if (!trashed.delete(entryId)) refuse('no such trash item');
      for (const row of subtree(entryId)) change(row.entryId, { trashId: null });
      change(entryId, { parentId, name, sequence });
      checkRows();
    },
    subtree,
    check() {
      checkRows();
      if (vacated.size > 0) refuse('a placeholder name');
      for (const { parentId, trashId } of entries.values()) {
        if (parentId === null) continue;
        const parent = entries.get(parentId);
        if (parent?.kind !== 'folder' || parent.trashId !== trashId) refuse('no such folder');
      }
      for (const { trashId } of entries.values()) {
        if (trashId !== null && !trashed.has(trashId)) refuse('no such trash item');
      }
      for (const { entryId } of trashed.values()) {
        if (entries.get(entryId)?.trashId !== entryId) refuse('a trash item without its entry');
      }
    },
  };
}
