import type { FilesClient } from '@cairn/client';
import { CairnError, checkName, type EntryId, foldName, isCairnError } from '@cairn/model';
import type { FileObject } from '@cairn/protocol';
import { numberedName } from '../../api/paths.ts';
import type { UploadParent } from '../upload-types.ts';

/** Something under a name in a folder, as far as this upload knows. */
export interface Sibling {
  readonly entryId: EntryId;
  readonly kind: 'file' | 'folder' | 'link';
  readonly name: string;
  /** `null`: made by this upload and not committed yet. */
  readonly sequence: number | null;
  readonly contentId?: string | undefined;
  readonly sizeBytes?: number | undefined;
  readonly modifiedAtUs?: number | undefined;
}

export interface RemoteFolder {
  readonly entryId: EntryId;
  /** By folded name. */
  readonly children: Map<string, Sibling>;
}

export interface RemoteFoldersOptions {
  readonly files: Pick<FilesClient, 'list' | 'getContent'>;
  createEntryId(): EntryId;
  /** Queues the creation of a folder. */
  onNewFolder(folder: { readonly entryId: EntryId; readonly parentId: EntryId; readonly name: string }): void;
}

/** The folders that are uploaded into: looked up or made once each, and remembered until `forget`. */
export interface RemoteFolders {
  /** The folder at `names` below the parent; missing ones are made. Throws CairnError. */
  resolve(parent: UploadParent, names: readonly string[], signal: AbortSignal): Promise<RemoteFolder>;
  forget(): void;
}

export function createRemoteFolders(options: RemoteFoldersOptions): RemoteFolders {
  const { files } = options;
  let known = new Map<string, Promise<RemoteFolder>>();

  async function load(entryId: EntryId, path: string, signal: AbortSignal): Promise<RemoteFolder> {
    const children = new Map<string, Sibling>();
    for await (const child of files.list(path, signal)) children.set(foldName(child.name), siblingOf(child));
    return { entryId, children };
  }

  /** By its id: since it was chosen it may have been moved or renamed. */
  async function loadParent(parent: UploadParent, signal: AbortSignal): Promise<RemoteFolder> {
    let entry: FileObject;
    try {
      entry = (await files.getContent(parent.entryId, signal)).entry;
    } catch (error) {
      if (!isCairnError(error, 'not-found')) throw error;
      throw new CairnError('not-found', 'the folder was deleted; drop it into another one', { cause: error });
    }
    if (entry.kind !== 'folder') throw new CairnError('not-a-folder', 'this is no folder any more');
    return load(entry.entryId, entry.path, signal);
  }

  async function loadBelow(above: RemoteFolder, name: string, signal: AbortSignal): Promise<RemoteFolder> {
    checkName(name);
    const there = above.children.get(foldName(name));
    if (there?.kind === 'folder') {
      if (there.sequence === null) return { entryId: there.entryId, children: new Map() };
      const { entry } = await files.getContent(there.entryId, signal);
      return load(entry.entryId, entry.path, signal);
    }
    // A file has the name: both stay.
    const free = there === undefined ? name : freeName(above, name, true);
    const entryId = options.createEntryId();
    above.children.set(foldName(free), { entryId, kind: 'folder', name: free, sequence: null });
    options.onNewFolder({ entryId, parentId: above.entryId, name: free });
    return { entryId, children: new Map() };
  }

  function remember(key: string, load: () => Promise<RemoteFolder>): Promise<RemoteFolder> {
    const found = known.get(key);
    if (found !== undefined) return found;
    const loading = load();
    const generation = known;
    known.set(key, loading);
    // A failure is not remembered.
    loading.catch(() => generation.delete(key));
    return loading;
  }

  return {
    async resolve(parent, names, signal) {
      let key: string = parent.entryId;
      let folder = await remember(key, () => loadParent(parent, signal));
      for (const name of names) {
        const above = folder;
        key += `/${foldName(name)}`;
        folder = await remember(key, () => loadBelow(above, name, signal));
      }
      return folder;
    },
    forget() {
      known = new Map();
    },
  };
}

export function siblingOf(entry: FileObject): Sibling {
  const { entryId, kind, name, sequence, contentId, sizeBytes, modifiedAtUs } = entry;
  return { entryId, kind, name, sequence, contentId, sizeBytes, modifiedAtUs };
}

/** `a.txt` → `a (2).txt`, or the next number that is free. */
export function freeName(folder: RemoteFolder, name: string, isFolder: boolean): string {
  for (let number = 2; ; number++) {
    const candidate = numberedName(name, number, isFolder);
    if (!folder.children.has(foldName(candidate))) return candidate;
  }
}
