import { type FileObject, type FilesResponse, filesResponseSchema } from '@cairn/protocol';
import { queryOptions, type UseQueryResult, useQuery } from '@tanstack/react-query';
import { z } from 'zod';
import { isOffline } from './errors.ts';
import { applyChange, changesSince, type FolderData, folderKey, journalMark } from './folder-cache.ts';
import { currentEra, keep, readKept } from './local-cache.ts';
import { queryClient } from './query-client.ts';
import { apiPath, ask } from './request.ts';

const FIRST_PAGE = 200;
const PAGE = 2_000;
/** Larger folders are not kept for offline use: they would be slow to read and to write. */
const MAX_KEPT_CHILDREN = 5_000;

const keptSchema = z.object({ entry: z.unknown(), children: z.array(z.unknown()) });

async function readPage(
  path: string,
  after: string | null,
  limit: number,
  signal: AbortSignal,
): Promise<FilesResponse> {
  const rest = after === null ? '' : apiPath`&after=${after}`;
  return ask(apiPath`/files?path=${path}&limit=${limit}` + rest, filesResponseSchema, { signal });
}

/**
 * Reads a folder page by page. While nothing complete is cached, what there is so far is shown: the first page soon,
 * then ever larger pieces, so that sorting 100,000 entries is not done fifty times.
 */
async function readFolder(path: string, signal: AbortSignal): Promise<FolderData> {
  const key = folderKey(path);
  const mark = journalMark();
  const era = currentEra();
  const cached = queryClient.getQueryData<FolderData>(key);
  let coming = readPage(path, null, FIRST_PAGE, signal);
  // Awaited below; what was kept is shown while the server looks.
  coming.catch(() => undefined);
  if (cached === undefined) await showKept(path);
  const children: FileObject[] = [];
  let entry: FileObject | null = null;
  let after: string | null = null;
  let shown = 0;
  do {
    const page = await coming;
    entry = page.entry;
    children.push(...(page.children ?? []));
    after = page.next ?? null;
    if (after !== null) coming = readPage(path, after, PAGE, signal);
    if (after !== null && children.length >= shown * 2 && showsProgress(path)) {
      shown = children.length;
      queryClient.setQueryData<FolderData>(key, { entry, children: [...children], complete: false });
    }
  } while (after !== null);
  const news = changesSince(mark);
  const data = (news ?? []).reduce(applyChange, { entry, children, complete: true } satisfies FolderData);
  if (children.length <= MAX_KEPT_CHILDREN) void keep(path, data, Date.now(), era);
  return data;
}

/** Whether a part of the listing is better than what is shown now. */
function showsProgress(path: string): boolean {
  const cached = queryClient.getQueryData<FolderData>(folderKey(path));
  return cached === undefined || !cached.complete;
}

async function showKept(path: string): Promise<void> {
  const parsed = keptSchema.safeParse(await readKept(path));
  if (!parsed.success || queryClient.getQueryData(folderKey(path)) !== undefined) return;
  // Written by this app, of answers that were checked; whatever it is, the server's answer replaces it.
  queryClient.setQueryData<FolderData>(folderKey(path), parsed.data as unknown as FolderData, {
    updatedAt: 1,
  });
}

export function folderQuery(path: string) {
  return queryOptions<FolderData>({
    queryKey: folderKey(path),
    queryFn: ({ signal }) => readFolder(path, signal),
    structuralSharing: false,
    staleTime: 60_000,
    retry: (failures, error) => isOffline(error) && navigator.onLine && failures < 1,
  });
}

/** A folder with its children, kept current by the journal. */
export function useFolder(path: string): UseQueryResult<FolderData> {
  return useQuery(folderQuery(path));
}

/** Loads a folder before somebody opens it. */
export function prefetchFolder(path: string): void {
  void queryClient.prefetchQuery(folderQuery(path));
}

/** The entry of a folder, of the cache where it is there. Throws `not-found`. */
export async function readFolderEntry(path: string): Promise<FileObject> {
  return (await queryClient.fetchQuery(folderQuery(path))).entry;
}
