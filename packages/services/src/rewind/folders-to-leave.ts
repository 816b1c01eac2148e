import type { MetadataReader } from '@cairn/metadata-store';
import type { EntryId } from '@cairn/model';
import type { RewindTree } from './rewind-tree.ts';

/**
 * Folders of then that are elsewhere now and hold what is not to come with them: moving such a folder back would bring that along.
 * They stay where they are, and a new folder takes their place in the tree.
 */
export async function findFoldersToLeave(
  reader: MetadataReader,
  tree: RewindTree,
  comes: (entryId: EntryId) => boolean,
): Promise<ReadonlySet<EntryId>> {
  const inside = new Set(tree.present.map(({ entryId }) => entryId));
  const known = new Set<EntryId>();
  const toLeave = new Set<EntryId>();
  for (const { entryId, kind } of tree.past) {
    if (kind !== 'folder' || known.has(entryId) || inside.has(entryId) || tree.around.has(entryId)) continue;
    const record = tree.records.get(entryId);
    if (record === undefined || record.trashId !== null) continue;
    const subtree = await reader.listSubtree(tree.space.spaceId, entryId);
    for (const below of subtree) known.add(below.entryId);
    // Parents come first in it, so from its end each folder is judged before the one around it.
    for (const below of subtree.reverse()) {
      const isOfThen = tree.pastById.has(below.entryId) && comes(below.entryId);
      if ((!isOfThen || toLeave.has(below.entryId)) && below.parentId !== null) toLeave.add(below.parentId);
    }
  }
  return toLeave;
}
