import type { EntryRecord, MetadataReader } from '@cairn/metadata-store';
import {
  type Change,
  type CreateChange,
  type Entry,
  type EntryId,
  foldName,
  type NewEntry,
  restoredName,
  type UpdateChange,
} from '@cairn/model';
import { canonicalJson } from '../changesets/canonical-json.ts';
import { findFoldersToLeave } from './folders-to-leave.ts';
import { planLater } from './plan-later.ts';
import type { RewindStep } from './rewind-service.ts';
import type { RewindTree } from './rewind-tree.ts';

export interface RewindPlan {
  /** For people. */
  readonly steps: readonly RewindStep[];
  /** Parents first. */
  readonly placements: readonly Change[];
  /** Tops of what appeared later; valid after the placements. */
  readonly removals: readonly EntryId[];
  /** Ids of what is made anew, by the id that it had. */
  readonly madeAnew: ReadonlyMap<EntryId, EntryId>;
}

type Attributes = Pick<
  UpdateChange,
  'content' | 'target' | 'executable' | 'modifiedAtUs' | 'conflictOf' | 'conflictPolicy'
>;

/** What of an entry, besides its place, is not as it was. */
function differences(tree: RewindTree, entry: Entry, record: EntryRecord): Attributes {
  if (entry.kind === 'folder') {
    if (entry.conflictPolicy === record.conflictPolicy) return {};
    return { conflictPolicy: entry.conflictPolicy ?? null };
  }
  const sameMark = canonicalJson(entry.conflictOf ?? null) === canonicalJson(record.conflictOf ?? null);
  const marks = sameMark ? {} : { conflictOf: entry.conflictOf ?? null };
  const time = entry.modifiedAtUs === record.modifiedAtUs ? {} : { modifiedAtUs: entry.modifiedAtUs };
  const current =
    record.versionId === entry.versionId ? null : tree.versions.get(record.versionId ?? entry.versionId);
  if (entry.kind === 'link') {
    const target = current === null || current?.target === entry.target ? {} : { target: entry.target };
    return { ...target, ...time, ...marks };
  }
  if (!tree.isKept(entry)) return {};
  const same = current === null || current?.content?.contentId === entry.content.contentId;
  const content = same ? {} : { content: entry.content };
  const executable = entry.executable === record.executable ? {} : { executable: entry.executable };
  return { ...content, ...executable, ...time, ...marks };
}

function anew(entry: Entry): NewEntry {
  if (entry.kind === 'folder') return { kind: 'folder' };
  const mark = entry.conflictOf === undefined ? {} : { conflictOf: entry.conflictOf };
  const { modifiedAtUs } = entry;
  if (entry.kind === 'link') return { kind: 'link', target: entry.target, modifiedAtUs, ...mark };
  return { kind: 'file', content: entry.content, executable: entry.executable, modifiedAtUs, ...mark };
}

/** A trashed folder comes back whole where all that went with it was in the same place then; else it is made anew. */
async function findWholeItems(
  reader: MetadataReader,
  tree: RewindTree,
  chosen: (entryId: EntryId) => boolean,
): Promise<{ readonly tops: ReadonlySet<EntryId>; readonly inside: ReadonlySet<EntryId> }> {
  const tops = new Set<EntryId>();
  const inside = new Set<EntryId>();
  for (const entry of tree.past) {
    const record = tree.records.get(entry.entryId);
    if (entry.kind !== 'folder' || record?.trashId !== entry.entryId || !chosen(entry.entryId)) continue;
    const item = await reader.listSubtree(tree.space.spaceId, entry.entryId);
    const below = item.slice(1);
    const fits = below.every((one) => {
      const then = tree.pastById.get(one.entryId);
      return then !== undefined && then.parentId === one.parentId && then.name === one.name;
    });
    if (!fits) continue;
    tops.add(entry.entryId);
    for (const one of below) inside.add(one.entryId);
  }
  return { tops, inside };
}

/** Which entries of then are wanted, and which folders they need. */
function chooseEntries(tree: RewindTree, only: ReadonlySet<EntryId> | null) {
  const chosen = new Set<EntryId>();
  const needed = new Set<EntryId>();
  if (only === null) return { isChosen: () => true, isNeeded: () => false };
  for (const entry of tree.past) {
    if (only.has(entry.entryId) || chosen.has(entry.parentId as EntryId)) chosen.add(entry.entryId);
  }
  for (const entryId of chosen) {
    for (let above = tree.pastById.get(entryId)?.parentId; above != null; ) {
      const folder = tree.pastById.get(above);
      const record = tree.records.get(above);
      if (folder === undefined || chosen.has(above) || (record !== undefined && record.trashId === null))
        break;
      needed.add(above);
      above = folder.parentId;
    }
  }
  return {
    isChosen: (entryId: EntryId) => chosen.has(entryId),
    isNeeded: (entryId: EntryId) => needed.has(entryId),
  };
}

/**
 * What makes the folder as it was, from one snapshot. Where only some of it is asked for, a name that is taken gets an ending.
 * @param only `null`: all
 */
export async function planRewind(
  reader: MetadataReader,
  tree: RewindTree,
  only: ReadonlySet<EntryId> | null,
  newEntryId: () => EntryId,
): Promise<RewindPlan> {
  const { space, folder, records } = tree;
  const { isChosen, isNeeded } = chooseEntries(tree, only);
  const whole = await findWholeItems(reader, tree, isChosen);
  const toLeave = await findFoldersToLeave(reader, tree, isChosen);
  const steps: RewindStep[] = [];
  const placements: Change[] = [];
  const madeAnew = new Map<EntryId, EntryId>();
  const pastPaths = new Map<EntryId, string>([[folder.entryId, tree.folderPath]]);
  const presentPaths = presentPathsOf(tree);
  const taken = new Set<string>();
  const idOf = (entryId: EntryId) => madeAnew.get(entryId) ?? entryId;

  /** In a partial rewind what is in the way may stay there. */
  async function freeName(parentId: EntryId, name: string, entryId: EntryId): Promise<string> {
    if (only === null) return name;
    let candidate = name;
    for (let counter = 1; ; counter++) {
      const key = `${parentId}/${foldName(candidate)}`;
      const holder = await reader.findChild(space.spaceId, parentId, foldName(candidate));
      const isFree = holder === undefined || holder.entryId === entryId || only.has(holder.entryId);
      if (isFree && !taken.has(key)) {
        taken.add(key);
        return candidate;
      }
      candidate = restoredName(name, counter);
    }
  }

  for (const entry of tree.past) {
    const { entryId } = entry;
    const above = pastPaths.get(entry.parentId as EntryId) ?? '/';
    const path = above === '/' ? `/${entry.name}` : `${above}/${entry.name}`;
    pastPaths.set(entryId, path);
    if (!isChosen(entryId) && !isNeeded(entryId)) continue;
    const record = records.get(entryId);
    const sizes = entry.kind === 'file' ? { sizeBytes: entry.content.sizeBytes } : {};
    const step = { entryId, entryKind: entry.kind, path, ...sizes } as const;
    const parentId = idOf(entry.parentId as EntryId);
    const live = record !== undefined && record.trashId === null;
    const lost = entry.kind === 'file' && !tree.isKept(entry);

    if (record !== undefined && (whole.tops.has(entryId) || whole.inside.has(entryId))) {
      steps.push({ kind: 'restore', ...step });
      if (whole.tops.has(entryId)) {
        const name = await freeName(parentId, entry.name, entryId);
        placements.push({ kind: 'restore', entryId, parentId, name });
      }
      const attributes = differences(tree, entry, record);
      if (Object.keys(attributes).length > 0) {
        placements.push({ kind: 'update', entryId, baseSequence: space.sequence, ...attributes });
      }
      continue;
    }
    if (lost && !live) {
      steps.push({ kind: 'lost', ...step });
      continue;
    }
    if (record !== undefined && live && !tree.around.has(entryId) && !toLeave.has(entryId)) {
      const attributes = differences(tree, entry, record);
      const moves = record.parentId !== parentId || record.name !== entry.name;
      if (lost) steps.push({ kind: 'lost', ...step });
      if (!moves && Object.keys(attributes).length === 0) continue;
      const name = moves ? await freeName(parentId, entry.name, entryId) : entry.name;
      const place = moves ? { parentId, name } : {};
      const from = moves ? { fromPath: presentPaths(record) } : {};
      if (!lost || moves) steps.push({ kind: moves ? 'move-back' : 'revert', ...step, ...from });
      placements.push({ kind: 'update', entryId, baseSequence: record.sequence, ...place, ...attributes });
      continue;
    }
    steps.push({ kind: 'restore', ...step });
    if (record !== undefined && !live && entry.kind !== 'folder') {
      const name = await freeName(parentId, entry.name, entryId);
      const attributes = differences(tree, entry, record);
      placements.push({
        kind: 'update',
        entryId,
        baseSequence: space.sequence,
        parentId,
        name,
        ...attributes,
      });
      continue;
    }
    // Gone for good, a folder that came apart in the trash, one that is now around this one, or one to leave where it is.
    const created = newEntryId();
    madeAnew.set(entryId, created);
    const name = await freeName(parentId, entry.name, created);
    const create: CreateChange = { kind: 'create', entryId: created, parentId, name, entry: anew(entry) };
    placements.push(create);
    if (entry.kind === 'folder' && entry.conflictPolicy !== undefined) {
      const { conflictPolicy } = entry;
      placements.push({ kind: 'update', entryId: created, baseSequence: 0, conflictPolicy });
    }
  }

  const later = await planLater(reader, tree, only, toLeave, presentPaths);
  return {
    steps: [...steps, ...later.steps],
    placements: [...placements, ...later.moves],
    removals: later.removals,
    madeAnew,
  };
}

/** Paths of what is in the folder now; of what is elsewhere only the name is told. */
function presentPathsOf(tree: RewindTree): (record: EntryRecord) => string {
  const paths = new Map<EntryId, string>([[tree.folder.entryId, tree.folderPath]]);
  for (const record of tree.present) {
    const above = paths.get(record.parentId as EntryId) ?? '/';
    paths.set(record.entryId, above === '/' ? `/${record.name}` : `${above}/${record.name}`);
  }
  return (record) => paths.get(record.entryId) ?? `/…/${record.name}`;
}
