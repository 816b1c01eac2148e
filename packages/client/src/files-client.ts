import type { EntryId, VersionId } from '@cairn/model';
import {
  type EmptyTrashResponse,
  emptyTrashResponseSchema,
  entryResponseSchema,
  type FileObject,
  type FileResponse,
  fileResponseSchema,
  filesResponseSchema,
  MEDIA_TYPES,
  type TrashResponse,
  trashResponseSchema,
  type UpdateFileRequest,
  type VersionObject,
  versionsResponseSchema,
} from '@cairn/protocol';
import { type Api, apiPath } from './api.ts';

const PAGE_ENTRIES = 2000;

/** Files of the personal space by path, without syncing. Paths look like `/docs/a.txt`. Throws CairnError. */
export interface FilesClient {
  /** One entry. Throws `not-found`. */
  get(path: string, signal?: AbortSignal): Promise<FileObject>;
  /** One entry with its content (files). */
  getContent(entryId: EntryId, signal?: AbortSignal): Promise<FileResponse>;
  /** The children of a folder, page by page, in the order of folded names. */
  list(path: string, signal?: AbortSignal): AsyncIterable<FileObject>;
  /** Makes the file, or a new version of it, from these bytes, in one request that is never repeated. */
  putContent(path: string, bytes: Uint8Array, signal?: AbortSignal): Promise<FileObject>;
  mkdir(path: string, options?: { readonly parents?: boolean }): Promise<FileObject>;
  /** `to` is the whole new path. Throws `already-exists` when something is there. */
  move(entryId: EntryId, to: string): Promise<FileObject>;
  update(entryId: EntryId, change: UpdateFileRequest): Promise<FileObject>;
  /** To the trash, with everything below it. */
  remove(entryId: EntryId): Promise<void>;
  /** Newest first. */
  versions(entryId: EntryId, signal?: AbortSignal): Promise<readonly VersionObject[]>;
  revert(entryId: EntryId, versionId: VersionId): Promise<FileObject>;
  /**
   * Hands the bytes of a file's version to `read`, which is called again from the start when the connection breaks.
   */
  readVersion<Result>(
    entryId: EntryId,
    versionId: VersionId,
    read: (pieces: AsyncIterable<Uint8Array>) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result>;
  /** Newest first, page by page. */
  trash(signal?: AbortSignal): AsyncIterable<TrashResponse['items'][number]>;
  /** Without `path` it goes back to where it was. */
  restore(entryId: EntryId, path?: string): Promise<FileObject>;
  /** Deletes everything in the trash for good. */
  emptyTrash(signal?: AbortSignal): Promise<EmptyTrashResponse>;
  /** Deletes one item of the trash for good. */
  purge(entryId: EntryId): Promise<void>;
}

export function createFilesClient(api: Api): FilesClient {
  const entryOf = async (answer: Promise<{ entry: FileObject }>): Promise<FileObject> => (await answer).entry;

  async function page(path: string, after: string | null, limit: number, signal?: AbortSignal) {
    const rest = after === null ? '' : apiPath`&after=${after}`;
    return api.ask(
      { method: 'GET', path: apiPath`/files?path=${path}&limit=${limit}` + rest, signal },
      filesResponseSchema,
    );
  }

  return {
    get: (path, signal) => entryOf(page(path, null, 1, signal)),
    getContent: (entryId, signal) =>
      api.ask({ method: 'GET', path: apiPath`/files/${entryId}`, signal }, fileResponseSchema),
    async *list(path, signal) {
      let after: string | null = null;
      do {
        const answer: Awaited<ReturnType<typeof page>> = await page(path, after, PAGE_ENTRIES, signal);
        yield* answer.children ?? [];
        after = answer.next ?? null;
      } while (after !== null);
    },
    putContent: (path, bytes, signal) =>
      entryOf(
        api.ask(
          {
            method: 'PUT',
            path: apiPath`/files/content?path=${path}`,
            headers: { 'content-type': MEDIA_TYPES.bytes },
            body: [bytes],
            once: true,
            signal,
          },
          entryResponseSchema,
        ),
      ),
    mkdir: (path, options = {}) =>
      entryOf(
        api.ask(
          {
            method: 'POST',
            path: '/folders',
            json: { path, ...(options.parents === undefined ? {} : { parents: options.parents }) },
            once: options.parents !== true,
          },
          entryResponseSchema,
        ),
      ),
    move: (entryId, to) =>
      entryOf(
        api.ask(
          { method: 'PATCH', path: apiPath`/files/${entryId}`, json: { path: to } },
          entryResponseSchema,
        ),
      ),
    update: (entryId, change) =>
      entryOf(
        api.ask({ method: 'PATCH', path: apiPath`/files/${entryId}`, json: change }, entryResponseSchema),
      ),
    remove: (entryId) => api.tell({ method: 'DELETE', path: apiPath`/files/${entryId}`, once: true }),
    async versions(entryId, signal) {
      const path = apiPath`/files/${entryId}/versions?limit=${PAGE_ENTRIES}`;
      return (await api.ask({ method: 'GET', path, signal }, versionsResponseSchema)).versions;
    },
    revert: (entryId, versionId) =>
      entryOf(
        api.ask(
          { method: 'POST', path: apiPath`/files/${entryId}/revert`, json: { versionId }, once: true },
          entryResponseSchema,
        ),
      ),
    readVersion: (entryId, versionId, read, signal) =>
      api.stream(
        {
          method: 'GET',
          path: apiPath`/files/${entryId}/content?versionId=${versionId}`,
          signal,
        },
        MEDIA_TYPES.bytes,
        (response) => read(response.body),
      ),
    async *trash(signal) {
      for (let offset = 0; ; offset += PAGE_ENTRIES) {
        const path = apiPath`/trash?limit=${PAGE_ENTRIES}&offset=${offset}`;
        const { items } = await api.ask({ method: 'GET', path, signal }, trashResponseSchema);
        yield* items;
        if (items.length < PAGE_ENTRIES) return;
      }
    },
    emptyTrash: (signal) =>
      api.ask({ method: 'DELETE', path: '/trash', once: true, signal }, emptyTrashResponseSchema),
    purge: (entryId) => api.tell({ method: 'DELETE', path: apiPath`/trash/${entryId}`, once: true }),
    restore: (entryId, path) =>
      entryOf(
        api.ask(
          {
            method: 'POST',
            path: apiPath`/trash/${entryId}/restore`,
            json: path === undefined ? {} : { path },
            once: true,
          },
          entryResponseSchema,
        ),
      ),
  };
}
