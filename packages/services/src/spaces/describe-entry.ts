import type { EntryRecord, MetadataReader, VersionRecord } from '@cairn/metadata-store';
import { CairnError, type Entry, type SpaceId, type Version, type VersionId } from '@cairn/model';

function damaged(record: EntryRecord): CairnError {
  return new CairnError(
    'data-damaged',
    'the server’s database is inconsistent; stop the server and bring its data folder back from a backup',
    {
      details: { entryId: record.entryId },
    },
  );
}

/** The entry of a row and the version it names (none for folders). */
export function describeEntry(record: EntryRecord, version: VersionRecord | undefined): Entry {
  const { entryId, parentId, name, sequence, modifiedAtUs } = record;
  if (record.kind === 'folder') {
    const { conflictPolicy } = record;
    const policy = conflictPolicy === undefined ? {} : { conflictPolicy };
    return { kind: 'folder', entryId, parentId, name, sequence, ...policy };
  }
  if (version === undefined) throw damaged(record);
  const { conflictOf } = record;
  const mark = conflictOf === undefined ? {} : { conflictOf };
  const common = { entryId, parentId, name, sequence, versionId: version.versionId, modifiedAtUs, ...mark };
  if (record.kind === 'link') {
    if (version.target === null) throw damaged(record);
    return { kind: 'link', ...common, target: version.target };
  }
  if (version.content === null) throw damaged(record);
  return { kind: 'file', ...common, content: version.content, executable: record.executable };
}

/** Entries of rows, in the same order; loads the versions they name in one go. */
export async function describeEntries(
  reader: MetadataReader,
  spaceId: SpaceId,
  records: readonly EntryRecord[],
): Promise<Entry[]> {
  const versionIds = records.flatMap((record) => (record.versionId === null ? [] : [record.versionId]));
  const versions = new Map<VersionId, VersionRecord>();
  for (const version of await reader.getVersions(spaceId, versionIds)) {
    if (version !== undefined) versions.set(version.versionId, version);
  }
  return records.map((record) =>
    describeEntry(record, record.versionId === null ? undefined : versions.get(record.versionId)),
  );
}

export function describeVersion(record: VersionRecord): Version {
  const { versionId, entryId, sequence, kind, content, target, executable, modifiedAtUs } = record;
  const { deviceId, committedAt } = record;
  return {
    versionId,
    entryId,
    sequence,
    kind,
    content,
    target,
    executable,
    modifiedAtUs,
    deviceId,
    committedAt,
  };
}
