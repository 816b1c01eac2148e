import { CairnError, type EntryId, isCairnError } from '@cairn/model';
import {
  type RewindChange,
  type RewindDone,
  type RewindPreviewResponse,
  type RewindResponse,
  rewindDoneSchema,
  rewindPreviewResponseSchema,
  rewindResponseSchema,
} from '@cairn/protocol';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { readEntry } from '../../api/entries.ts';
import { invalidateFolders } from '../../api/folder-cache.ts';
import { isWithin } from '../../api/paths.ts';
import { refreshLiveQueries } from '../../api/query-client.ts';
import { apiPath, ask } from '../../api/request.ts';
import { t } from './strings.ts';

const PAGE_CHANGES = 200;
const MAX_PAGE_CHANGES = 2000;
/** What one request may name. */
const MAX_CHOSEN = 2000;
const MAX_PAGES = 10;

/** The folder as it is now. */
export function useFolderEntry(entryId: EntryId) {
  return useQuery({
    queryKey: ['entry', entryId],
    queryFn: ({ signal }) => readEntry(entryId, signal),
    meta: { live: true },
  });
}

/**
 * One level of a folder as it was. A folder within that was deleted since cannot be asked for by itself; then it is
 * found in all that was below the one that is rewound.
 */
async function readPastFolder(
  rootId: EntryId,
  entryId: EntryId,
  at: number,
  signal: AbortSignal,
): Promise<RewindResponse> {
  try {
    return await ask(apiPath`/rewind?entryId=${entryId}&at=${at}`, rewindResponseSchema, { signal });
  } catch (error) {
    if (entryId === rootId || !isCairnError(error, 'not-found', 'horizon-passed')) throw error;
    const deep = apiPath`/rewind?entryId=${rootId}&at=${at}&deep=1`;
    const all = await ask(deep, rewindResponseSchema, { signal });
    // Not there at all is not the same as empty.
    if (all.complete && !all.items.some((item) => item.entryId === entryId)) throw error;
    return { ...all, items: all.items.filter(({ parentId }) => parentId === entryId) };
  }
}

/** What was in a folder at an instant, one level; while another instant is read, the last one stays. */
export function usePastFolder(rootId: EntryId, entryId: EntryId, at: number) {
  return useQuery({
    queryKey: ['rewind', rootId, entryId, at],
    queryFn: ({ signal }) => readPastFolder(rootId, entryId, at, signal),
    placeholderData: (before, query) => (query?.queryKey[2] === entryId ? before : undefined),
    meta: { live: true },
  });
}

function readPreview(
  entryId: EntryId,
  at: number,
  page: { readonly after: number | null; readonly limit: number },
  signal?: AbortSignal,
): Promise<RewindPreviewResponse> {
  const rest = page.after === null ? '' : apiPath`&after=${page.after}`;
  const path = apiPath`/rewind/preview?entryId=${entryId}&at=${at}&limit=${page.limit}` + rest;
  return ask(path, rewindPreviewResponseSchema, { signal });
}

/** What going back to an instant would change. */
export function useRewindPreview(entryId: EntryId, at: number) {
  return useInfiniteQuery({
    queryKey: ['rewind-preview', entryId, at],
    queryFn: ({ pageParam, signal }) =>
      readPreview(entryId, at, { after: pageParam, limit: PAGE_CHANGES }, signal),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    meta: { live: true },
  });
}

export interface PastItem {
  readonly entryId: EntryId;
  readonly path: string;
}

/**
 * The changes that make one thing what it was: its own, and those of what was in it.
 * @throws CairnError `limit-reached` when those are too many for one request
 */
async function findChangesOf(folderId: EntryId, at: number, item: PastItem): Promise<EntryId[]> {
  const found: EntryId[] = [];
  let after: number | null = null;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer: RewindPreviewResponse = await readPreview(folderId, at, { after, limit: MAX_PAGE_CHANGES });
    for (const change of answer.changes) if (belongsTo(change, item)) found.push(change.entryId);
    after = answer.next;
    if (after === null || found.length > MAX_CHOSEN) break;
  }
  if (after !== null || found.length > MAX_CHOSEN) throw new CairnError('limit-reached', t('itemTooMuch'));
  return found;
}

function belongsTo(change: RewindChange, item: PastItem): boolean {
  return change.kind !== 'lost' && (change.entryId === item.entryId || isWithin(change.path, item.path));
}

/** Makes a folder, or only one thing in it, what it was. Null: it is so already. See {@link undoOf}. */
export async function rewind(
  folderId: EntryId,
  at: number,
  item: PastItem | null,
): Promise<RewindDone | null> {
  const only = item === null ? null : await findChangesOf(folderId, at, item);
  if (only !== null && only.length === 0) return null;
  return await goBack(folderId, at, only);
}

async function goBack(folderId: EntryId, at: number, only: readonly EntryId[] | null): Promise<RewindDone> {
  const json = { entryId: folderId, at, ...(only === null ? {} : { only }) };
  const done = await ask('/rewind', rewindDoneSchema, { method: 'POST', json });
  invalidateFolders();
  refreshLiveQueries();
  return done;
}

/** What undoes a rewind, and only that; `null` where it touched more than one request can name. */
export function undoOf(folderId: EntryId, { undoAt, undoOnly }: RewindDone): (() => Promise<void>) | null {
  if (undoOnly === undefined) return null;
  return async () => void (await goBack(folderId, undoAt, undoOnly));
}

/** The oldest instant that can be gone back to, as the refusal of an older one says it. */
export function oldestInstant(error: unknown): number | null {
  if (!isCairnError(error, 'horizon-passed')) return null;
  const oldest = error.details['oldestAt'];
  return typeof oldest === 'number' ? oldest : null;
}
