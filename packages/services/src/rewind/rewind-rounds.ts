import type { EntryRecord, MetadataReader } from '@cairn/metadata-store';
import { CHANGESET_LIMITS, type Change, type EntryId, foldName, restoredName } from '@cairn/model';
import type { RewindPlan } from './plan-rewind.ts';
import type { RewindTree } from './rewind-tree.ts';

const { maxChanges } = CHANGESET_LIMITS;

function removal(tree: RewindTree, entryId: EntryId): Change {
  return { kind: 'remove', entryId, baseSequence: tree.space.sequence };
}

/** Removals of what holds nothing that is still to be placed elsewhere. */
function freeRemovals(tree: RewindTree, plan: RewindPlan): readonly EntryId[] {
  const holding = new Set<EntryId>();
  for (const change of plan.placements) {
    for (let above = tree.records.get(change.entryId)?.parentId ?? null; above !== null; ) {
      if (holding.has(above)) break;
      holding.add(above);
      above = tree.records.get(above)?.parentId ?? null;
    }
  }
  return plan.removals.filter((entryId) => !holding.has(entryId));
}

/** Names that somebody will have and somebody else, who is to leave, still has: across changesets they must be given up first. */
async function clearNames(reader: MetadataReader, tree: RewindTree, plan: RewindPlan): Promise<Change[]> {
  const wanted = new Set<string>();
  const key = (parentId: EntryId, name: string) => `${parentId}/${foldName(name)}`;
  for (const change of plan.placements) {
    if (
      'parentId' in change &&
      change.parentId !== undefined &&
      'name' in change &&
      change.name !== undefined
    ) {
      wanted.add(key(change.parentId, change.name));
    }
  }
  const clears: Change[] = [];
  const cleared = new Set<EntryId>();
  const taken = new Set(wanted);
  for (const change of plan.placements) {
    if (!('parentId' in change) || change.parentId === undefined || change.name === undefined) continue;
    const holder: EntryRecord | undefined = await reader.findChild(
      tree.space.spaceId,
      change.parentId,
      foldName(change.name),
    );
    if (holder === undefined || holder.entryId === change.entryId || cleared.has(holder.entryId)) continue;
    cleared.add(holder.entryId);
    for (let counter = 1; ; counter++) {
      const name = restoredName(holder.name, counter);
      const isTaken = taken.has(key(change.parentId, name));
      if (isTaken || (await reader.findChild(tree.space.spaceId, change.parentId, foldName(name)))) continue;
      taken.add(key(change.parentId, name));
      clears.push({ kind: 'update', entryId: holder.entryId, baseSequence: holder.sequence, name });
      break;
    }
  }
  return clears;
}

/**
 * The next changeset of a rewind: all of it where that fits. Else what can be done first: removals that hold nothing, then names
 * that are in the way, then places from the top down, then the other removals. After each the rest is planned anew.
 */
export async function nextRound(
  reader: MetadataReader,
  tree: RewindTree,
  plan: RewindPlan,
): Promise<readonly Change[]> {
  const { placements, removals } = plan;
  if (placements.length + removals.length <= maxChanges) {
    return [...placements, ...removals.map((entryId) => removal(tree, entryId))];
  }
  const free = freeRemovals(tree, plan);
  if (free.length > 0) return free.slice(0, maxChanges).map((entryId) => removal(tree, entryId));
  const clears = await clearNames(reader, tree, plan);
  if (clears.length > 0) return clears.slice(0, maxChanges);
  if (placements.length > 0) return placements.slice(0, maxChanges);
  return removals.slice(0, maxChanges).map((entryId) => removal(tree, entryId));
}
