import type { EntryRecord, JournalRecord, MetadataReader } from '@cairn/metadata-store';
import type { Entry, EntryId, UserId } from '@cairn/model';
import { authorisePersonalOr } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import { createPathFinder } from '../files/path-finder.ts';
import { clampLimit } from '../page-limit.ts';
import { readDevices } from '../versions/device-names.ts';
import type { Activity } from './activity-service.ts';

const MAX_ITEMS = 500;

/** What people call it. */
function kindOf({ change }: JournalRecord, before: Entry | null): Activity['kind'] {
  if (change.kind === 'create') return 'created';
  if (change.kind === 'remove') return 'deleted';
  if (change.kind === 'restore' || change.entry === null || before === null) return 'restored';
  const after = change.entry;
  if (before.parentId !== after.parentId) return 'moved';
  if (before.name !== after.name) return 'renamed';
  return 'edited';
}

async function readUsernames(
  reader: MetadataReader,
  userIds: Iterable<UserId | null>,
): Promise<Map<UserId | null, string>> {
  const names = new Map<UserId | null, string>();
  for (const userId of new Set(userIds)) {
    const user = userId === null ? undefined : await reader.getUser(userId);
    names.set(userId, user?.username ?? '');
  }
  return names;
}

/** See `ActivityService.list`. */
export function listActivity(
  { store }: DataDependencies,
  principal: Principal,
  page: { readonly before: number | null; readonly limit: number },
): Promise<{ readonly items: readonly Activity[]; readonly next: number | null }> {
  const limit = clampLimit(page.limit, MAX_ITEMS);
  return store.read(async (reader) => {
    const space = await authorisePersonalOr(reader, principal, 'read', null);
    const { spaceId } = space;
    const before = Math.min(page.before ?? Number.MAX_SAFE_INTEGER, space.sequence + 1);
    const rows = await reader.readJournalBack(spaceId, before, limit);
    const earlier = await reader.listStates(
      spaceId,
      rows.map(({ sequence, change }) => ({ entryId: change.entryId, sequence: sequence - 1 })),
    );
    const deviceOf = await readDevices(
      reader,
      rows.map(({ change }) => change.deviceId),
    );
    const usernames = await readUsernames(
      reader,
      rows.map(({ change }) => deviceOf(change.deviceId).userId),
    );
    const ids = new Set<EntryId>();
    for (const [place, { change }] of rows.entries()) {
      ids.add(change.entryId);
      const parentId = earlier[place]?.change.entry?.parentId;
      if (parentId != null) ids.add(parentId);
    }
    const present = new Map<EntryId, EntryRecord>();
    for (const record of await reader.getEntries(spaceId, [...ids])) {
      if (record !== undefined && record.trashId === null) present.set(record.entryId, record);
    }
    const pathOf = createPathFinder(reader, space);
    const items: Activity[] = [];
    for (const [place, row] of rows.entries()) {
      const { change, sequence } = row;
      const was = earlier[place]?.change.entry ?? null;
      const kind = kindOf(row, was);
      const record = present.get(change.entryId);
      const parent = was?.parentId == null ? undefined : present.get(was.parentId);
      const moved = (kind === 'moved' || kind === 'renamed') && was !== null && parent !== undefined;
      const device = deviceOf(change.deviceId);
      items.push({
        sequence,
        committedAt: change.committedAt,
        deviceId: change.deviceId,
        deviceName: device.name,
        username: usernames.get(device.userId) ?? '',
        kind,
        entry: {
          entryId: change.entryId,
          kind: change.entryKind,
          name: (change.entry ?? was)?.name ?? '',
          path: record === undefined ? null : await pathOf(record),
        },
        ...(moved
          ? { fromPath: await pathOf({ entryId: was.entryId, parentId: parent.entryId, name: was.name }) }
          : {}),
      });
    }
    const last = rows.at(-1);
    return {
      items,
      next: last === undefined || rows.length < limit || last.sequence <= 1 ? null : last.sequence,
    };
  });
}
