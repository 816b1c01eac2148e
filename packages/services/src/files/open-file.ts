import { CairnError, type Entry, type EntryId, type VersionId } from '@cairn/model';
import { authoriseEntry } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import { checkRange, readContent } from '../contents/read-content.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import type { OpenedFile } from '../data-services-types.ts';
import { describeEntries, describeVersion } from '../spaces/describe-entry.ts';
import { requireFile } from './read-entries.ts';

/** See `FilesService.openFile`. */
export function openFile(
  dependencies: DataDependencies,
  principal: Principal,
  entryId: EntryId,
  options: { readonly versionId?: VersionId } = {},
): Promise<OpenedFile> {
  return dependencies.store.read(async (reader) => {
    const { space, record } = await authoriseEntry(reader, principal, 'read', entryId, 'live');
    const [described] = await describeEntries(reader, space.spaceId, [record]);
    const entry = requireFile(described as Entry);
    const [version] = await reader.getVersions(space.spaceId, [options.versionId ?? entry.versionId]);
    if (version === undefined || version.entryId !== entryId || version.content === null) {
      throw new CairnError('not-found', 'the file has no such version; list its versions');
    }
    const { content } = version;
    return {
      entry,
      version: describeVersion(version),
      sizeBytes: content.sizeBytes,
      read: (range) =>
        readContent(
          dependencies,
          content,
          range === undefined ? undefined : checkRange(range, content.sizeBytes),
        ),
    };
  });
}
