import type { SpaceId, VersionId } from '@cairn/model';
import { authorisePersonalOr } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import type { TrashItem, TrashPage } from '../data-services-types.ts';
import { clampLimit } from '../page-limit.ts';
import { readEffectiveRetention } from '../retention/effective-retention.ts';
import { readDevices } from '../versions/device-names.ts';

const MAX_ITEMS = 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

/** See `TrashService.list`. */
export function listTrash(
  { store }: DataDependencies,
  principal: Principal,
  spaceId: SpaceId | null,
  page: { readonly offset: number; readonly limit: number },
): Promise<TrashPage> {
  const limit = clampLimit(page.limit, MAX_ITEMS);
  const offset = Math.max(0, Math.floor(page.offset));
  return store.read(async (reader) => {
    const space = await authorisePersonalOr(reader, principal, 'read', spaceId);
    const trashed = await reader.listTrash(space.spaceId, limit, offset);
    const records = await reader.getEntries(
      space.spaceId,
      trashed.map(({ entryId }) => entryId),
    );
    const versionIds = records.flatMap((record) => (record?.versionId == null ? [] : [record.versionId]));
    const sizes = new Map<VersionId, number>();
    for (const version of await reader.getVersions(space.spaceId, versionIds)) {
      if (version !== undefined) sizes.set(version.versionId, version.sizeBytes);
    }
    const { trash: retention } = await readEffectiveRetention(reader, space.spaceId);
    const deviceOf = await readDevices(
      reader,
      trashed.map(({ deviceId }) => deviceId),
    );
    const items = trashed.flatMap((trash, position): TrashItem[] => {
      const record = records[position];
      if (record === undefined) return [];
      const { entryId, name, path, trashedAt, deviceId } = trash;
      const sizeBytes =
        record.kind !== 'file' || record.versionId === null ? null : (sizes.get(record.versionId) ?? null);
      const expiresAt = retention.keep === 'all' ? null : trashedAt + retention.days * DAY_MS;
      const deviceName = deviceOf(deviceId).name;
      return [
        { entryId, kind: record.kind, name, path, trashedAt, deviceId, deviceName, sizeBytes, expiresAt },
      ];
    });
    return { items, next: trashed.length < limit ? null : offset + trashed.length, retention };
  });
}
