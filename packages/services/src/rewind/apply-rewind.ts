import type { EntryRecord, MetadataReader, SpaceRecord } from '@cairn/metadata-store';
import {
  CairnError,
  type ChangesetId,
  createId,
  createOrderedId,
  type EntryId,
  isCairnError,
} from '@cairn/model';
import { type Action, authoriseEntry } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import { commitChangeset } from '../changesets/commit-changeset.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import { clampLimit } from '../page-limit.ts';
import { planRewind, type RewindPlan } from './plan-rewind.ts';
import { nextRound } from './rewind-rounds.ts';
import { REWIND_KINDS, type RewindDone, type RewindKind, type RewindPreview } from './rewind-service.ts';
import { type RewindTree, readRewindTree } from './rewind-tree.ts';

const MAX_STEPS = 2000;
/** Times in a row that somebody else may be faster. */
const MAX_ATTEMPTS = 5;
const MAX_ROUNDS = 1000;
const MAX_WAITS = 100;

async function authoriseFolder(
  reader: MetadataReader,
  principal: Principal,
  action: Action,
  folderId: EntryId,
): Promise<{ readonly space: SpaceRecord; readonly folder: EntryRecord }> {
  const { space, record } = await authoriseEntry(reader, principal, action, folderId, 'live');
  if (record.kind !== 'folder') throw new CairnError('not-a-folder', `"${record.name}" is not a folder`);
  return { space, folder: record };
}

function newIds({ environment }: DataDependencies): () => EntryId {
  return () => createOrderedId<EntryId>(environment.clock.now(), environment.random.bytes(16));
}

/** See `RewindService.preview`. */
export function previewRewind(
  dependencies: DataDependencies,
  principal: Principal,
  folderId: EntryId,
  at: number,
  page: { readonly after: number; readonly limit: number },
): Promise<RewindPreview> {
  const limit = clampLimit(page.limit, MAX_STEPS);
  return dependencies.store.read(async (reader) => {
    const found = await authoriseFolder(reader, principal, 'read', folderId);
    const now = dependencies.environment.clock.now();
    const tree = await readRewindTree(reader, principal, found, at, now, new Map());
    const { steps } = await planRewind(reader, tree, null, newIds(dependencies));
    const counts = Object.fromEntries(REWIND_KINDS.map((kind) => [kind, 0])) as Record<RewindKind, number>;
    for (const { kind } of steps) counts[kind] += 1;
    const end = page.after + limit;
    return {
      at,
      sequence: tree.sequence,
      steps: steps.slice(page.after, end),
      next: end < steps.length ? end : null,
      counts,
    };
  });
}

/** Rewinding has an instant of its own, or undoing it could not name the one before. */
async function waitForOwnInstant(dependencies: DataDependencies, space: SpaceRecord): Promise<void> {
  const { store, environment } = dependencies;
  const [last] = await store.read((reader) => reader.readJournalBack(space.spaceId, space.sequence + 1, 1));
  for (let waits = 0; waits < MAX_WAITS; waits++) {
    if (last === undefined || environment.clock.now() > last.change.committedAt) return;
    await environment.timers.sleep(1);
  }
}

/** See `RewindService.apply`. */
export async function applyRewind(
  dependencies: DataDependencies,
  principal: Principal,
  folderId: EntryId,
  at: number,
  only: readonly EntryId[] | null,
): Promise<RewindDone> {
  const { store, environment } = dependencies;
  const madeAnew = new Map<EntryId, EntryId>();
  const chosen = only === null ? null : new Set(only);
  const touched = new Set<EntryId>();
  const undoOnly = () => (only === null ? null : [...touched]);
  let changed: number | null = null;
  let undoAt: number | null = null;
  let attempts = 0;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const planned = await store.read(async (reader) => {
      const found = await authoriseFolder(reader, principal, 'write', folderId);
      const now = environment.clock.now();
      const tree: RewindTree = await readRewindTree(reader, principal, found, at, now, madeAnew);
      const plan: RewindPlan = await planRewind(reader, tree, chosen, newIds(dependencies));
      return { tree, plan, changes: await nextRound(reader, tree, plan) };
    });
    const { tree, plan, changes } = planned;
    const { space } = tree;
    changed ??= plan.steps.filter(({ kind }) => kind !== 'lost').length;
    if (changes.length === 0) {
      return {
        changed,
        sequence: space.sequence,
        undoAt: undoAt ?? environment.clock.now(),
        undoOnly: undoOnly(),
      };
    }
    if (undoAt === null) await waitForOwnInstant(dependencies, space);
    try {
      const committed = await commitChangeset(dependencies, principal, space.spaceId, {
        changesetId: createId<ChangesetId>(environment.random.bytes(16)),
        changes,
      });
      attempts = 0;
      for (const { entryId } of changes) touched.add(entryId);
      const made = new Set(changes.flatMap((change) => (change.kind === 'create' ? [change.entryId] : [])));
      for (const [old, created] of plan.madeAnew) {
        if (!made.has(created)) continue;
        madeAnew.set(old, created);
        // What was chosen by the id that it had stays chosen.
        if (chosen?.has(old) === true) chosen.add(created);
      }
      undoAt ??= await instantBefore(dependencies, space, committed.results[0]?.sequence ?? 0);
      if (changes.length === plan.placements.length + plan.removals.length) {
        return { changed, sequence: committed.sequence, undoAt, undoOnly: undoOnly() };
      }
    } catch (error) {
      attempts += 1;
      if (!isCairnError(error, 'conflict') || attempts >= MAX_ATTEMPTS) throw error;
    }
  }
  throw new CairnError('conflict', 'the folder is changed all the time; try again when it is quiet');
}

async function instantBefore(
  { store }: DataDependencies,
  { spaceId }: SpaceRecord,
  sequence: number,
): Promise<number> {
  const [first] = await store.read((reader) => reader.readJournalBack(spaceId, sequence + 1, 1));
  return (first?.change.committedAt ?? 1) - 1;
}
