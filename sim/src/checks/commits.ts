import {
  type Changeset,
  type CommitResult,
  type DeviceId,
  type Entry,
  type EntryId,
  isCairnError,
} from '@cairn/model';
import type { World } from '../history/world.ts';

export interface ObservedCommit {
  readonly deviceId: DeviceId;
  readonly changeset: Changeset;
  readonly outcome: { readonly result: CommitResult } | { readonly error: unknown };
  /** Entries that it changed, as they were. */
  readonly before: ReadonlyMap<EntryId, Entry>;
  readonly removed: readonly EntryId[];
}

/** Every commit as the server sees it: what came of it, and whether each removal has a cause. */
export function checkCommit(world: World, commit: ObservedCommit): void {
  const { statistics, trace } = world;
  const { outcome, before, removed } = commit;
  if ('error' in outcome) {
    countRefusal(world, outcome.error);
    return;
  }
  statistics.count('server:commit');
  const touched = before.size > 0 || commit.changeset.changes.some(({ kind }) => kind === 'create');
  if (!touched && commit.changeset.changes.length > 0) statistics.count('server:commit-replayed');
  // Two, when one is a copy of the other.
  const devices = world.devices.filter(({ deviceIds }) => deviceIds.has(commit.deviceId));
  const name = devices.map((device) => device.name).join(' or ') || 'somebody';
  trace.note(`${name} commits ${commit.changeset.changes.map(({ kind }) => kind).join(' ')}`);
  // [I21] A file is removed from the server only when a user took its content away, or where it lives on elsewhere.
  for (const entryId of removed) {
    const entry = before.get(entryId);
    if (entry?.kind !== 'file') continue;
    const { contentId } = entry.content;
    const value = world.values.findByContentId(contentId);
    if (value === undefined || value.isCommon || value.droppedBy.size > 0) continue;
    const livesOn = [...world.mirror.now.values()].some(
      (other) => other.kind === 'file' && other.content.contentId === contentId,
    );
    const isHere = devices.some(({ disk }) =>
      disk.user.walk().some(({ bytes }) => bytes !== null && world.values.find(bytes) === value),
    );
    if (!livesOn && !isHere)
      throw new Error(`[I21] ${name} removes "${entry.name}" (${value.label}), which no user took away`);
  }
}

function countRefusal({ statistics }: World, error: unknown): void {
  if (!isCairnError(error)) return;
  statistics.count(`refused:${error.code}`);
  const conflicts = error.details['conflicts'];
  if (!Array.isArray(conflicts)) return;
  for (const { reason } of conflicts as readonly { reason: string }[]) statistics.count(`refused:${reason}`);
}
