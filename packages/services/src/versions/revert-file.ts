import { CairnError, type EntryId, type FileEntry, type VersionId } from '@cairn/model';
import { authoriseEntry } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import { commitPlan } from '../files/commit-plan.ts';
import { getEntry, requireFile } from '../files/read-entries.ts';

/** See `FilesService.revert`. The file's time becomes that of the call: it did change now. */
export async function revertFile(
  dependencies: DataDependencies,
  principal: Principal,
  entryId: EntryId,
  versionId: VersionId,
): Promise<FileEntry> {
  await commitPlan(dependencies, principal, async (reader) => {
    const { space, record } = await authoriseEntry(reader, principal, 'write', entryId, 'live');
    if (record.kind !== 'file') throw new CairnError('not-a-file', `"${record.name}" is not a file`);
    const [version] = await reader.getVersions(space.spaceId, [versionId]);
    if (version === undefined || version.entryId !== entryId || version.content === null) {
      throw new CairnError('not-found', 'the file has no such version; list its versions');
    }
    const { spaceId } = space;
    if (version.versionId === record.versionId) return { spaceId, entryId, changes: [] };
    const { content, executable } = version;
    const modifiedAtUs = dependencies.environment.clock.now() * 1000;
    const baseSequence = record.sequence;
    const update = { kind: 'update', entryId, baseSequence, content, executable, modifiedAtUs } as const;
    return { spaceId, entryId, changes: [update] };
  });
  return requireFile((await getEntry(dependencies, principal, entryId)).entry);
}
