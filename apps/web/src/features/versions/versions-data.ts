import type { EntryId, VersionId } from '@cairn/model';
import {
  entryResponseSchema,
  type FileObject,
  type VersionObject,
  versionsResponseSchema,
} from '@cairn/protocol';
import { useQuery } from '@tanstack/react-query';
import { putIntoFolders } from '../../api/folder-cache.ts';
import { refreshLiveQueries } from '../../api/query-client.ts';
import { apiPath, apiUrl, ask } from '../../api/request.ts';

/** More than anybody looks through; retention thins them long before. */
export const MAX_VERSIONS = 2000;

/** The saved contents of a file, newest first: the first is the current one. */
export function useVersions(entryId: EntryId) {
  return useQuery({
    queryKey: ['versions', entryId],
    queryFn: async ({ signal }): Promise<readonly VersionObject[]> => {
      const path = apiPath`/files/${entryId}/versions?limit=${MAX_VERSIONS}`;
      return (await ask(path, versionsResponseSchema, { signal })).versions;
    },
    meta: { live: true },
  });
}

/** Saves an old content as the newest version. Throws `not-found` when the clean-up took it meanwhile. */
export async function revertTo(entryId: EntryId, versionId: VersionId): Promise<FileObject> {
  const { entry } = await ask(apiPath`/files/${entryId}/revert`, entryResponseSchema, {
    method: 'POST',
    json: { versionId },
  });
  putIntoFolders([entry]);
  refreshLiveQueries();
  return entry;
}

/** Where a version's bytes are; `inline` to look at, else to be saved. */
export function versionUrl(entryId: string, versionId: string, inline = false): string {
  const rest = inline ? '&inline=1' : '';
  return apiUrl(apiPath`/files/${entryId}/content?versionId=${versionId}` + rest);
}

/** Where a picture of a version is, at most 1024 pixels wide and high. */
export function pictureUrl(entryId: string, versionId: string): string {
  return apiUrl(apiPath`/files/${entryId}/thumbnail?versionId=${versionId}&size=1024`);
}
