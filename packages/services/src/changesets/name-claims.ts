import type { MetadataReader } from '@cairn/metadata-store';
import { type EntryId, foldName, type SpaceId } from '@cairn/model';

/**
 * Who takes which name during one changeset. Names that the changeset gives up were vacated in the database
 * beforehand, so a swap or rotation finds them free whatever the order of its changes; a name can be taken once.
 */
export interface NameClaims {
  /** Takes a name for an entry; `false` when another entry has it. */
  claim(parentId: EntryId, name: string, entryId: EntryId): Promise<boolean>;
  /** Notes a name that comes back with a restored folder. */
  note(parentId: EntryId, name: string, entryId: EntryId): void;
  /** Notes a folder that this changeset creates: nothing in the database can be in it. */
  noteNewFolder(entryId: EntryId): void;
}

export function createNameClaims(reader: MetadataReader, spaceId: SpaceId): NameClaims {
  const claimed = new Map<string, EntryId>();
  const newFolders = new Set<EntryId>();
  const keyOf = (parentId: EntryId, foldedName: string) => `${parentId}/${foldedName}`;
  return {
    async claim(parentId, name, entryId) {
      const foldedName = foldName(name);
      const key = keyOf(parentId, foldedName);
      const taker = claimed.get(key);
      if (taker !== undefined) return taker === entryId;
      if (!newFolders.has(parentId)) {
        const holder = await reader.findChild(spaceId, parentId, foldedName);
        if (holder !== undefined && holder.entryId !== entryId) return false;
      }
      claimed.set(key, entryId);
      return true;
    },
    note(parentId, name, entryId) {
      claimed.set(keyOf(parentId, foldName(name)), entryId);
    },
    noteNewFolder(entryId) {
      newFolders.add(entryId);
    },
  };
}
