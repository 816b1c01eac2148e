import type { EntryRecord, MetadataReader } from '@cairn/metadata-store';
import { type Change, type Entry, type EntryId, foldName } from '@cairn/model';
import { wasLiveAt } from './past-tree.ts';
import type { RewindStep } from './rewind-service.ts';
import type { RewindTree } from './rewind-tree.ts';

/** Where something was then that goes back there. */
interface Home {
  readonly entry: Entry;
  readonly parentId: EntryId;
  /** Of the folder that it goes back to; `null` when that goes back, too. */
  readonly parent: EntryRecord | null;
  /** Who has its name there now. */
  readonly holder: EntryId | null;
}

/** What of the present tree is not of then and is to go: all of it, or what is asked for with all that is in it. */
function listLater(tree: RewindTree, only: ReadonlySet<EntryId> | null): readonly EntryRecord[] {
  const goes = new Set<EntryId>();
  return tree.present.filter(({ entryId, parentId }) => {
    if (tree.pastById.has(entryId)) return false;
    if (only !== null && !only.has(entryId) && !goes.has(parentId as EntryId)) return false;
    goes.add(entryId);
    return true;
  });
}

/** Finds where each was then, if that is outside the folder and still there, or in something that goes back itself. */
async function findHomes(
  reader: MetadataReader,
  tree: RewindTree,
  records: readonly EntryRecord[],
): Promise<Map<EntryId, Home>> {
  const { space, sequence } = tree;
  const states = await reader.listStates(
    space.spaceId,
    records.map(({ entryId }) => ({ entryId, sequence })),
  );
  const inside = new Set([tree.folder.entryId, ...tree.present.map(({ entryId }) => entryId)]);
  const thens = new Map(records.map(({ entryId }, place) => [entryId, states[place]?.change.entry ?? null]));
  const homes = new Map<EntryId, Home>();
  const asked = new Set<EntryId>();

  async function findHome(entryId: EntryId): Promise<void> {
    if (asked.has(entryId)) return;
    asked.add(entryId);
    const entry = thens.get(entryId) ?? null;
    const parentId = entry?.parentId ?? null;
    if (entry === null || parentId === null) return;
    let parent: EntryRecord | null = null;
    if (inside.has(parentId)) {
      await findHome(parentId);
      if (!homes.has(parentId)) return;
    } else {
      const [record] = await reader.getEntries(space.spaceId, [parentId]);
      if (record?.kind !== 'folder' || record.trashId !== null) return;
      parent = record;
    }
    if (!(await wasLiveAt(reader, space, entryId, sequence))) return;
    const holder = await reader.findChild(space.spaceId, parentId, foldName(entry.name));
    homes.set(entryId, { entry, parentId, parent, holder: holder?.entryId ?? null });
  }
  for (const { entryId } of records) await findHome(entryId);
  return homes;
}

/**
 * Takes those out whose name there somebody keeps, until nobody is in the way of anybody.
 * @param stays folders of then that are not brought back
 */
function keepFreeHomes(
  tree: RewindTree,
  homes: Map<EntryId, Home>,
  all: boolean,
  stays: ReadonlySet<EntryId>,
): void {
  const goesBack = (other: EntryId) =>
    all && tree.pastById.has(other) && !stays.has(other) && !tree.around.has(other);
  for (let before = -1; before !== homes.size; ) {
    before = homes.size;
    const claimed = new Set<string>();
    for (const [entryId, { entry, parentId, parent, holder }] of homes) {
      const key = `${parentId}/${foldName(entry.name)}`;
      const leaves = (other: EntryId) => homes.has(other) || goesBack(other);
      const isFree = holder === null || holder === entryId || leaves(holder);
      const isThere = parent !== null || homes.has(parentId);
      if (isFree && isThere && !claimed.has(key)) claimed.add(key);
      else homes.delete(entryId);
    }
  }
}

/**
 * What is in the folder now and was not then goes back to where it was, if it was anywhere, else to the trash; what is in
 * it and was nowhere then goes along.
 * @param stays folders of then that stay where they are now, outside, and keep their names there
 */
export async function planLater(
  reader: MetadataReader,
  tree: RewindTree,
  only: ReadonlySet<EntryId> | null,
  stays: ReadonlySet<EntryId>,
  presentPaths: (record: EntryRecord) => string,
): Promise<{ steps: RewindStep[]; moves: Change[]; removals: EntryId[] }> {
  const records = listLater(tree, only);
  const homes = await findHomes(reader, tree, records);
  keepFreeHomes(tree, homes, only === null, stays);
  const steps: RewindStep[] = [];
  const moves: Change[] = [];
  const removals: EntryId[] = [];
  const byId = new Map(records.map((record) => [record.entryId, record]));
  const paths = new Map<EntryId, string>();

  /** Folders before what goes back into them. */
  async function moveHome(record: EntryRecord): Promise<void> {
    const { entryId } = record;
    const home = homes.get(entryId);
    if (home === undefined || paths.has(entryId)) return;
    const { entry, parentId } = home;
    const inner = byId.get(parentId);
    if (home.parent === null && inner !== undefined) await moveHome(inner);
    const above =
      home.parent === null ? (paths.get(parentId) ?? '/') : await presentPathOf(reader, tree, home.parent);
    const path = above === '/' ? `/${entry.name}` : `${above}/${entry.name}`;
    paths.set(entryId, path);
    if (record.parentId === parentId && record.name === entry.name) return;
    moves.push({ kind: 'update', entryId, baseSequence: record.sequence, parentId, name: entry.name });
    steps.push({
      kind: 'move-back',
      entryId,
      entryKind: record.kind,
      path,
      fromPath: presentPaths(record),
    });
  }

  for (const record of records) {
    const { entryId } = record;
    if (homes.has(entryId)) await moveHome(record);
    else if (!byId.has(record.parentId as EntryId)) {
      removals.push(entryId);
      steps.push({ kind: 'remove', entryId, entryKind: record.kind, path: presentPaths(record) });
    }
  }
  return { steps, moves, removals };
}

async function presentPathOf(reader: MetadataReader, tree: RewindTree, record: EntryRecord): Promise<string> {
  if (record.parentId === null) return '/';
  const above = await reader.listAncestors(tree.space.spaceId, record.entryId);
  return `/${[record, ...above]
    .reverse()
    .slice(1)
    .map(({ name }) => name)
    .join('/')}`;
}
