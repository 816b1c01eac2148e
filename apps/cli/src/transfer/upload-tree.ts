import type { Client, SpaceClient } from '@cairn/client';
import { chooseProfile } from '@cairn/content';
import {
  CairnError,
  type ChangeConflict,
  createId,
  type EntryId,
  type FileContent,
  foldName,
  isCairnError,
} from '@cairn/model';
import type { FileObject } from '@cairn/protocol';
import { joinServerPath } from '../server-paths.ts';
import { createChangeQueue } from './change-queue.ts';
import { type LocalItem, listFolder, type OpenedFile, openFile, readTarget } from './local-tree.ts';
import type { Progress } from './progress.ts';
import { createSlots } from './slots.ts';

export interface RemoteFolder {
  readonly entryId: EntryId;
  readonly path: string;
  /** Made by this upload: the server has nothing in it to compare with. */
  readonly isNew: boolean;
}

export interface TreeUploadOptions {
  readonly client: Client;
  readonly space: SpaceClient;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  createRandomBytes(count: number): Uint8Array;
  /** One item could not be uploaded; the others go on. */
  onFailure(localPath: string, problem: string): void;
}

export interface UploadTotals {
  readonly uploaded: number;
  readonly unchanged: number;
  readonly folders: number;
  readonly sentBytes: number;
  readonly skippedBytes: number;
}

/** Uploads trees into folders of the server; one session for all, many files per changeset. */
export interface TreeUpload {
  add(item: LocalItem, into: RemoteFolder): Promise<void>;
  finish(): Promise<void>;
  abort(): void;
  totals(): UploadTotals;
}

/** Small files are opened, read and closed side by side: each waits for the disk more than it works. */
const FILES_AT_ONCE = 4;
const SMALL_FILE_BYTES = 1024 * 1024;

type Children = ReadonlyMap<string, FileObject>;
const NOTHING: Children = new Map();

export function createTreeUpload(options: TreeUploadOptions): TreeUpload {
  const { client, space, signal, progress } = options;
  const upload = space.createUpload({ signal });
  const slots = createSlots(FILES_AT_ONCE);
  let uploaded = 0;
  let unchanged = 0;
  let folders = 0;
  const queue = createChangeQueue({
    space,
    upload,
    signal,
    createRandomBytes: options.createRandomBytes,
    onCommitted(changes) {
      for (const { change } of changes) {
        if (change.kind === 'create' && change.entry.kind === 'folder') folders++;
        else uploaded++;
      }
    },
    onRefused: ({ path }, conflict) => options.onFailure(path, describeConflict(conflict)),
  });

  async function listRemote(folder: RemoteFolder): Promise<Children> {
    if (folder.isNew) return NOTHING;
    const children = new Map<string, FileObject>();
    for await (const child of client.files.list(folder.path, signal))
      children.set(foldName(child.name), child);
    return children;
  }

  function newId(): EntryId {
    return createId<EntryId>(options.createRandomBytes(16));
  }

  /** @param siblings what the server has in `into` */
  async function addItem(item: LocalItem, into: RemoteFolder, siblings: Children): Promise<void> {
    if (item.kind === 'file' && item.sizeBytes <= SMALL_FILE_BYTES) {
      await slots.run(() => addOne(item, into, siblings));
      return;
    }
    if (item.kind === 'file') await slots.drain();
    await addOne(item, into, siblings);
  }

  async function addOne(item: LocalItem, into: RemoteFolder, siblings: Children): Promise<void> {
    signal.throwIfAborted();
    try {
      if (item.kind === 'problem') throw new CairnError('local-io', item.problem);
      const there = siblings.get(foldName(item.name)) ?? null;
      if (there !== null && there.kind !== item.kind) {
        throw new CairnError('conflict', `the server has a ${there.kind} of this name; rename one of them`);
      }
      if (item.kind === 'folder') await addFolder(item, into, there);
      else if (item.kind === 'link') await addLink(item, into, there);
      else await addFile(item, into, there);
    } catch (error) {
      if (signal.aborted || !isCairnError(error, 'local-io', 'local-changed', 'conflict')) throw error;
      options.onFailure(item.path, error.message);
    }
  }

  async function addFolder(
    item: LocalItem & { kind: 'folder' },
    into: RemoteFolder,
    there: FileObject | null,
  ): Promise<void> {
    const children = await listFolder(item.path);
    let folder: RemoteFolder;
    if (there === null) {
      folder = { entryId: newId(), path: joinServerPath(into.path, item.name), isNew: true };
      await queue.add({
        change: {
          kind: 'create',
          entryId: folder.entryId,
          parentId: into.entryId,
          name: item.name,
          entry: { kind: 'folder' },
        },
        path: item.path,
        sizeBytes: 0,
      });
    } else {
      folder = { entryId: there.entryId, path: there.path, isNew: false };
    }
    const siblings = await listRemote(folder);
    for (const child of children) await addItem(child, folder, siblings);
  }

  async function addLink(
    item: LocalItem & { kind: 'link' },
    into: RemoteFolder,
    there: FileObject | null,
  ): Promise<void> {
    const target = await readTarget(item.path);
    const { modifiedAtUs } = item;
    if (there === null) {
      await queue.add({
        change: {
          kind: 'create',
          entryId: newId(),
          parentId: into.entryId,
          name: item.name,
          entry: { kind: 'link', target, modifiedAtUs },
        },
        path: item.path,
        sizeBytes: 0,
      });
    } else if (there.target === target) {
      unchanged++;
    } else {
      await queue.add({
        change: {
          kind: 'update',
          entryId: there.entryId,
          baseSequence: there.sequence,
          target,
          modifiedAtUs,
        },
        path: item.path,
        sizeBytes: 0,
      });
    }
  }

  async function addFile(
    item: LocalItem & { kind: 'file' },
    into: RemoteFolder,
    there: FileObject | null,
  ): Promise<void> {
    const file = await openFile(item.path, progress.addBytes);
    try {
      const { executable, modifiedAtUs } = file;
      const content = await send(file, there);
      if (!(await file.isUnchanged())) {
        throw new CairnError('local-changed', 'it changed while it was read; upload it again when it rests');
      }
      progress.addFile();
      if (there === null) {
        await queue.add({
          change: {
            kind: 'create',
            entryId: newId(),
            parentId: into.entryId,
            name: item.name,
            entry: { kind: 'file', content, executable, modifiedAtUs },
          },
          path: item.path,
          sizeBytes: content.sizeBytes,
        });
        return;
      }
      const isSame = there.contentId === content.contentId;
      if (isSame && there.executable === executable && there.modifiedAtUs === modifiedAtUs) {
        unchanged++;
        return;
      }
      await queue.add({
        change: {
          kind: 'update',
          entryId: there.entryId,
          baseSequence: there.sequence,
          ...(isSame ? {} : { content }),
          executable,
          modifiedAtUs,
        },
        path: item.path,
        sizeBytes: isSame ? 0 : content.sizeBytes,
      });
    } finally {
      await file.close();
    }
  }

  async function send(file: OpenedFile, there: FileObject | null): Promise<FileContent> {
    if (there === null || there.contentId === undefined) {
      return upload.add(file, { profile: chooseProfile(file.sizeBytes, null) });
    }
    if (there.sizeBytes === file.sizeBytes) {
      // Probably equal: then neither its manifest is needed nor any byte sent.
      const content = await upload.add(file, { profile: chooseProfile(file.sizeBytes, null) });
      if (content.contentId === there.contentId) return content;
      const { content: base } = await client.files.getContent(there.entryId, signal);
      if (base === undefined || base.manifest.profile === content.manifest.profile) return content;
      return upload.add(file, { profile: base.manifest.profile, base });
    }
    const { content: base = null } = await client.files.getContent(there.entryId, signal);
    return upload.add(file, { profile: chooseProfile(file.sizeBytes, base?.manifest.profile ?? null), base });
  }

  // `upload *.jpg /` adds thousands of items to one folder.
  let listed: { readonly folder: RemoteFolder; readonly children: Children } | null = null;

  return {
    async add(item, into) {
      if (listed?.folder.entryId !== into.entryId)
        listed = { folder: into, children: await listRemote(into) };
      await addItem(item, into, listed.children);
    },
    async finish() {
      await slots.drain();
      await queue.finish();
    },
    abort: () => upload.abort(),
    totals: () => ({
      uploaded,
      unchanged,
      folders,
      sentBytes: upload.sentBytes,
      skippedBytes: upload.skippedBytes,
    }),
  };
}

function describeConflict(conflict: ChangeConflict): string {
  switch (conflict.reason) {
    case 'name-taken':
      return 'the server has this name already, perhaps in other upper or lower case; rename it or upload it again';
    case 'stale-base':
      return 'it changed on the server meanwhile; upload it again';
    case 'entry-missing':
    case 'parent-missing':
      return 'its place on the server was deleted meanwhile; upload it again';
    default:
      return `the server refused it (${conflict.reason})`;
  }
}
