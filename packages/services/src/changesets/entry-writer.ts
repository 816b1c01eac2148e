import type { EntryRecord, MetadataTransaction, SpaceRecord, TrashRecord } from '@cairn/metadata-store';
import type { EntryId } from '@cairn/model';

/**
 * Gathers what a changeset writes into few statements. Once a conflict was found nothing is written any more:
 * the transaction will be undone, and the checks go on only to report every conflict at once.
 */
export interface EntryWriter {
  insert(record: EntryRecord): void;
  update(record: EntryRecord): void;
  trash(trash: TrashRecord): Promise<void>;
  restore(entryId: EntryId, parentId: EntryId, name: string, sequence: number): Promise<void>;
  flush(): Promise<void>;
  stop(): void;
}

export function createEntryWriter(transaction: MetadataTransaction, space: SpaceRecord): EntryWriter {
  let stopped = false;
  let inserts = new Map<EntryId, EntryRecord>();
  let updates = new Map<EntryId, EntryRecord>();

  async function flush(): Promise<void> {
    if (stopped) return;
    const [inserted, updated] = [inserts, updates];
    inserts = new Map();
    updates = new Map();
    if (inserted.size > 0) await transaction.insertEntries([...inserted.values()]);
    if (updated.size > 0) await transaction.updateEntries([...updated.values()]);
  }

  return {
    insert(record) {
      inserts.set(record.entryId, record);
    },
    update(record) {
      if (inserts.has(record.entryId)) inserts.set(record.entryId, record);
      else updates.set(record.entryId, record);
    },
    async trash(trash) {
      if (stopped) return;
      await flush();
      await transaction.trashSubtree(trash);
    },
    async restore(entryId, parentId, name, sequence) {
      if (stopped) return;
      await flush();
      await transaction.restoreSubtree(space.spaceId, entryId, parentId, name, sequence);
    },
    flush,
    stop() {
      stopped = true;
    },
  };
}
