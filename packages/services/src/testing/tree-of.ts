import type { Entry, EntryId } from '@cairn/model';
import type { DataWorld, TestUser } from './data-world.ts';

/** The live tree below a folder by path, with what makes a difference to people: kinds, contents, times. */
export async function treeOf(
  world: DataWorld,
  user: TestUser,
  top: EntryId = user.rootId,
): Promise<Map<string, string>> {
  const live = await world.liveTree(user);
  const paths = new Map<string, string>();
  const pathOf = (entry: Entry): string | null => {
    if (entry.entryId === top) return '';
    const parent = entry.parentId === null ? undefined : live.get(entry.parentId);
    const above = parent === undefined ? null : pathOf(parent);
    return above === null ? null : `${above}/${entry.name}`;
  };
  for (const entry of live.values()) {
    const path = pathOf(entry);
    if (path === null || path === '') continue;
    paths.set(
      path,
      entry.kind === 'file'
        ? `${entry.content.contentId} ${entry.executable} ${entry.modifiedAtUs}`
        : entry.kind === 'link'
          ? `-> ${entry.target}`
          : `folder ${entry.conflictPolicy ?? ''}`,
    );
  }
  return paths;
}
