import type { UploadItem } from './queue-state.ts';
import type { DroppedItem, UploadParent, UploadState } from './upload-types.ts';

/** What is kept of an upload until it is through, so that a reload does not lose it. */
export interface PlannedUpload {
  /** Of the tab and the item. */
  readonly key: string;
  /** The tab that works on it; when that is gone, another one takes over. */
  readonly owner: string;
  readonly userId: string;
  readonly kind: 'file' | 'folder';
  readonly relativePath: string;
  readonly parent: UploadParent;
  readonly sizeBytes: number;
  readonly lastModified: number;
  readonly handle: FileSystemFileHandle | null;
  readonly root: FileSystemHandle | null;
}

export function planKey(owner: string, id: number): string {
  return `${owner}/${id}`;
}

export function planOf(item: UploadItem, owner: string, userId: string): PlannedUpload {
  const { kind, relativePath, parent, sizeBytes, lastModified, handle, root } = item;
  return {
    key: planKey(owner, item.id),
    owner,
    userId,
    kind,
    relativePath,
    parent,
    sizeBytes,
    lastModified,
    handle,
    root,
  };
}

/** How an upload that a reload stopped goes on: folders need nothing, handles a permission, others the file. */
export function stateAfterReload(
  plan: PlannedUpload,
  permission: PermissionState | null,
): Extract<UploadState, 'waiting' | 'needs-file' | 'needs-permission'> {
  if (plan.kind === 'folder') return 'waiting';
  if (plan.handle === null) return 'needs-file';
  return permission === 'granted' ? 'waiting' : 'needs-permission';
}

export interface MatchedFiles {
  /** Uploads that go on, with their files. */
  readonly found: ReadonlyMap<number, DroppedItem>;
  /** Files of the right name that are not the same any more. */
  readonly changed: ReadonlyMap<number, DroppedItem>;
  /** Belongs to no upload that waits for its file. */
  readonly others: readonly DroppedItem[];
}

function nameOf(relativePath: string): string {
  return relativePath.slice(relativePath.lastIndexOf('/') + 1);
}

/** Length of what two paths have in common at their ends, in names. */
function commonEnd(one: string, other: string): number {
  const left = one.split('/').reverse();
  const right = other.split('/').reverse();
  let count = 0;
  while (count < left.length && count < right.length && left[count] === right[count]) count++;
  return count;
}

/**
 * Finds which of the files that a person chose again belongs to which upload that waits for one. A file is the same by
 * name, size and time of last change; of several, the one whose folders fit best. So a whole folder may be chosen,
 * the files alone, or a folder above.
 */
export function matchFiles(waiting: readonly UploadItem[], chosen: readonly DroppedItem[]): MatchedFiles {
  const byName = new Map<string, UploadItem[]>();
  for (const item of waiting) {
    const name = nameOf(item.relativePath);
    byName.set(name, [...(byName.get(name) ?? []), item]);
  }
  const found = new Map<number, DroppedItem>();
  const changed = new Map<number, DroppedItem>();
  const others: DroppedItem[] = [];
  for (const one of chosen) {
    const { file } = one;
    const named = (byName.get(nameOf(one.relativePath)) ?? []).filter(({ id }) => !found.has(id));
    const best = (items: readonly UploadItem[]) =>
      items.reduce<UploadItem | null>((previous, item) => {
        if (previous === null) return item;
        const isBetter =
          commonEnd(item.relativePath, one.relativePath) > commonEnd(previous.relativePath, one.relativePath);
        return isBetter ? item : previous;
      }, null);
    const same = best(
      named.filter(
        ({ sizeBytes, lastModified }) => sizeBytes === file?.size && lastModified === file.lastModified,
      ),
    );
    if (file !== undefined && same !== null) {
      found.set(same.id, one);
      changed.delete(same.id);
      continue;
    }
    const other =
      file === undefined ? null : best(named.filter((item) => item.relativePath === one.relativePath));
    if (other !== null) changed.set(other.id, one);
    else others.push(one);
  }
  return { found, changed, others };
}
