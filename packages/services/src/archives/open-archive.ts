import type { EntryRecord, VersionRecord } from '@cairn/metadata-store';
import { type EntryId, foldName, type SpaceId, type VersionId } from '@cairn/model';
import { authoriseEntry } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import { readContent } from '../contents/read-content.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import type { OpenedArchive } from './archives-service.ts';
import { createSafeNames } from './safe-names.ts';
import { writeZip, type ZipSource } from './write-zip.ts';

const CHILDREN_AT_ONCE = 500;
const encoder = new TextEncoder();
const MODES = { folder: 0o040755, file: 0o100644, executable: 0o100755, link: 0o120777 } as const;

interface Found {
  readonly record: EntryRecord;
  readonly version: VersionRecord | undefined;
}

/** An archive without it would look whole. */
function requirePresent<Value>(value: Value | null | undefined, { entryId, kind }: EntryRecord): Value {
  if (value == null) throw new Error(`${kind} ${entryId} has no version to put into an archive`);
  return value;
}

function sourceOf(dependencies: DataDependencies, { record, version }: Found, path: string): ZipSource {
  const modifiedAt = new Date(Math.floor(record.modifiedAtUs / 1000));
  if (record.kind === 'folder') {
    const now = new Date(dependencies.environment.clock.now());
    return { path, kind: 'folder', sizeBytes: 0, modifiedAt: now, unixMode: MODES.folder, bytes: [] };
  }
  const kind = 'file';
  if (record.kind === 'link') {
    const target = encoder.encode(requirePresent(version?.target, record));
    return { path, kind, sizeBytes: target.length, modifiedAt, unixMode: MODES.link, bytes: [target] };
  }
  const content = requirePresent(version?.content, record);
  const unixMode = record.executable ? MODES.executable : MODES.file;
  const bytes = content.sizeBytes === 0 ? [] : readContent(dependencies, content);
  return { path, kind, sizeBytes: content.sizeBytes, modifiedAt, unixMode, bytes };
}

/** Folders are read a page at a time while the zip is on its way, so that memory does not grow with them. */
async function listPage(
  { store }: DataDependencies,
  principal: Principal,
  spaceId: SpaceId,
  folderId: EntryId,
  after: string | null,
): Promise<readonly Found[]> {
  return store.read(async (reader) => {
    // Asked again for each page: a right that was taken away ends the archive.
    const { record } = await authoriseEntry(reader, principal, 'read', folderId, 'live');
    const children = await reader.listChildren(spaceId, record.entryId, after, CHILDREN_AT_ONCE);
    return withVersions(await loadVersions(children), children);

    async function loadVersions(records: readonly EntryRecord[]) {
      const ids = records.flatMap(({ versionId }) => (versionId === null ? [] : [versionId]));
      return reader.getVersions(spaceId, ids);
    }
  });
}

function withVersions(
  versions: readonly (VersionRecord | undefined)[],
  records: readonly EntryRecord[],
): readonly Found[] {
  const byId = new Map<VersionId, VersionRecord>();
  for (const version of versions) if (version !== undefined) byId.set(version.versionId, version);
  return records.map((record) => ({
    record,
    version: record.versionId === null ? undefined : byId.get(record.versionId),
  }));
}

async function* walk(
  dependencies: DataDependencies,
  principal: Principal,
  found: Found,
  path: string,
): AsyncGenerator<ZipSource> {
  yield sourceOf(dependencies, found, path);
  if (found.record.kind !== 'folder') return;
  const { spaceId, entryId } = found.record;
  const nameOf = createSafeNames();
  for (let after: string | null = null; ; ) {
    const page: readonly Found[] = await listPage(dependencies, principal, spaceId, entryId, after);
    for (const child of page) {
      yield* walk(dependencies, principal, child, `${path}/${nameOf(child.record.name)}`);
    }
    const last = page.at(-1);
    if (last === undefined || page.length < CHILDREN_AT_ONCE) return;
    after = foldName(last.record.name);
  }
}

/** See `ArchivesService.open`. */
export async function openArchive(
  dependencies: DataDependencies,
  principal: Principal,
  entryIds: readonly EntryId[],
  name?: string,
): Promise<OpenedArchive> {
  const tops = await dependencies.store.read(async (reader) => {
    const found: Found[] = [];
    for (const entryId of new Set(entryIds)) {
      const { space, record } = await authoriseEntry(reader, principal, 'read', entryId, 'live');
      const ids = record.versionId === null ? [] : [record.versionId];
      const [version] = await reader.getVersions(space.spaceId, ids);
      found.push({ record, version });
    }
    return found;
  });
  const [only] = tops;
  const called = name ?? (tops.length === 1 && only !== undefined ? only.record.name : '');
  async function* sources(): AsyncGenerator<ZipSource> {
    const nameOf = createSafeNames();
    for (const top of tops) {
      // The root has no name of its own.
      const path = nameOf(top.record.name === '' ? 'Files' : top.record.name);
      yield* walk(dependencies, principal, top, path);
    }
  }
  return { fileName: `${called === '' ? 'Files' : called}.zip`, bytes: writeZip(sources()) };
}
