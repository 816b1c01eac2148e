import type { EntryId, VersionId } from '@cairn/model';
import { type FileObject, meResponseSchema } from '@cairn/protocol';
import { sayError } from '../api/errors.ts';
import { apiPath, apiUrl, ask } from '../api/request.ts';
import { showToast } from '../ui/toast-store.ts';

/** Ids in one address: more would be longer than servers and proxies take. */
const MAX_IDS = 200;

/** Where the browser gets a file from; it goes on by itself (Range, ETag) when the connection breaks. */
export function contentUrl(
  entryId: EntryId,
  options: { readonly versionId?: VersionId; readonly inline?: boolean } = {},
): string {
  const query = new URLSearchParams();
  if (options.versionId !== undefined) query.set('versionId', options.versionId);
  if (options.inline === true) query.set('inline', '1');
  const text = query.toString();
  return apiUrl(apiPath`/files/${entryId}/content`) + (text === '' ? '' : `?${text}`);
}

/** A picture of the file's first page or of the image, made by the server. */
export function thumbnailUrl(entryId: EntryId, versionId: VersionId | undefined, size: 256 | 1024): string {
  const version = versionId === undefined ? '' : apiPath`&versionId=${versionId}`;
  return `${apiUrl(apiPath`/files/${entryId}/thumbnail`)}?size=${size}${version}`;
}

/** Where the browser gets several entries from, as one zip. */
export function archiveUrl(entries: readonly Pick<FileObject, 'entryId' | 'name'>[], name?: string): string {
  const query = new URLSearchParams({ ids: entries.map(({ entryId }) => entryId).join(',') });
  if (name !== undefined) query.set('name', name);
  return `${apiUrl('/archives')}?${query}`;
}

/**
 * Downloads entries: one file as it is, folders and several entries as a zip. The browser does it, so its own list of
 * downloads shows how far it is, and leaving the page does not stop it.
 */
export function downloadEntries(entries: readonly FileObject[]): void {
  const [first] = entries;
  if (first === undefined) return;
  if (entries.length > MAX_IDS) {
    showToast(`Choose at most ${MAX_IDS} entries at once, or download the folder they are in.`, {
      tone: 'danger',
    });
    return;
  }
  const url =
    entries.length === 1 && first.kind === 'file'
      ? contentUrl(first.entryId)
      : archiveUrl(entries, entries.length === 1 ? first.name : undefined);
  void download(url);
}

/** Downloads one version of a file. */
export function downloadVersion(entryId: EntryId, versionId: VersionId): void {
  void download(contentUrl(entryId, { versionId }));
}

async function download(url: string): Promise<void> {
  try {
    // Renews the session where that is due: a link cannot, and would save the refusal as a file.
    await ask('/me', meResponseSchema);
  } catch (error) {
    showToast(sayError(error), { tone: 'danger' });
    return;
  }
  const link = document.createElement('a');
  link.href = url;
  link.download = '';
  link.rel = 'noopener';
  document.body.append(link);
  link.click();
  link.remove();
}
