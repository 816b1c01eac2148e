import { isCairnError } from '@cairn/model';
import type { FileObject } from '@cairn/protocol';
import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import {
  type BatchResult,
  copyEntries,
  createFolder,
  type Destination,
  moveBack,
  moveEntries,
  renameEntry,
  restoreEntries,
  trashEntries,
} from '../../api/entries.ts';
import { sayError } from '../../api/errors.ts';
import { baseName, isWithin, parentPath } from '../../api/paths.ts';
import { t as common } from '../../strings/t.ts';
import { downloadEntries } from '../../transfers/download.ts';
import { showToast } from '../../ui/toast-store.ts';
import { type Clipboard, setClipboard } from './clipboard.ts';
import { t } from './strings.ts';

/** What can be done with entries; each says in a toast what came of it, with undo where there is one. */
export interface FileActions {
  open(entry: FileObject): void;
  showDetails(entry: FileObject): void;
  showInFolder(entry: FileObject): void;
  rewind(folder: FileObject): void;
  download(entries: readonly FileObject[]): void;
  /** Resolves to what is wrong with the name, or null when it is done. */
  rename(entry: FileObject, name: string): Promise<string | null>;
  createFolder(parent: Destination, name: string): Promise<FileObject | string>;
  move(entries: readonly FileObject[], to: Destination): Promise<void>;
  copy(entries: readonly FileObject[], to: Destination): Promise<void>;
  trash(entries: readonly FileObject[]): Promise<void>;
  take(kind: Clipboard['kind'], entries: readonly FileObject[]): void;
  paste(clipboard: Clipboard, to: Destination): Promise<void>;
}

function folderName(path: string): string {
  return path === '/' ? t('root') : `“${baseName(path)}”`;
}

function countAndName(entries: readonly FileObject[]) {
  return { count: entries.length, name: entries[0]?.name ?? '' };
}

/** Says what failed; true if anything did not. */
function report(result: BatchResult): boolean {
  const [first] = result.failed;
  if (first !== undefined) {
    const holes = { count: result.failed.length, name: first.entry.name, reason: sayError(first.error) };
    showToast(t('failedSome', holes), { tone: 'danger' });
  }
  return result.done.length > 0;
}

function isIntoItself(entries: readonly FileObject[], to: Destination): boolean {
  return entries.some(({ kind, path }) => kind === 'folder' && isWithin(to.path, path));
}

async function undoMove(before: readonly FileObject[]): Promise<void> {
  if (report(await moveBack(before))) showToast(t('movedBack', countAndName(before)));
}

async function move(entries: readonly FileObject[], to: Destination): Promise<void> {
  if (isIntoItself(entries, to)) {
    showToast(t('intoItself'), { tone: 'danger' });
    return;
  }
  const moving = entries.filter(({ parentId }) => parentId !== to.entryId);
  if (moving.length === 0) return;
  const result = await moveEntries(moving, to);
  if (!report(result)) return;
  const doneIds = new Set<string>(result.done.map(({ entryId }) => entryId));
  const before = moving.filter(({ entryId }) => doneIds.has(entryId));
  const names = new Map<string, string>(before.map(({ entryId, name }) => [entryId, name]));
  const numbered = result.done.find(({ entryId, name }) => names.get(entryId) !== name);
  const note =
    numbered === undefined
      ? ''
      : ` ${t('numbered', { from: names.get(numbered.entryId) ?? '', to: numbered.name })}`;
  showToast(t('moved', { ...countAndName(result.done), folder: folderName(to.path) }) + note, {
    action: { label: common('common.undo'), onSelect: () => void undoMove(before) },
  });
}

async function copy(entries: readonly FileObject[], to: Destination): Promise<void> {
  if (isIntoItself(entries, to)) {
    showToast(t('intoItself'), { tone: 'danger' });
    return;
  }
  const result = await copyEntries(entries, to);
  if (!report(result)) return;
  showToast(t('copied', { ...countAndName(result.done), folder: folderName(to.path) }), {
    action: { label: common('common.undo'), onSelect: () => void trashEntries(result.done).then(report) },
  });
}

async function undoTrash(entries: readonly FileObject[]): Promise<void> {
  const result = await restoreEntries(entries);
  if (report(result)) showToast(t('restored', countAndName(result.done)), { tone: 'good' });
}

async function trash(entries: readonly FileObject[]): Promise<void> {
  const result = await trashEntries(entries);
  if (!report(result)) return;
  showToast(t('deleted', countAndName(result.done)), {
    action: { label: common('common.undo'), onSelect: () => void undoTrash(result.done) },
  });
}

async function rename(entry: FileObject, name: string): Promise<string | null> {
  if (name === entry.name) return null;
  try {
    const renamed = await renameEntry(entry, name);
    const undo = () => {
      renameEntry(renamed, entry.name).catch((error: unknown) =>
        showToast(sayError(error), { tone: 'danger' }),
      );
    };
    showToast(t('renamed', { name: renamed.name }), {
      action: { label: common('common.undo'), onSelect: undo },
    });
    return null;
  } catch (error) {
    return isCairnError(error, 'already-exists', 'name-taken') ? t('nameTaken', { name }) : sayError(error);
  }
}

async function makeFolder(parent: Destination, name: string): Promise<FileObject | string> {
  try {
    return await createFolder(parent, name);
  } catch (error) {
    return isCairnError(error, 'already-exists', 'name-taken') ? t('nameTaken', { name }) : sayError(error);
  }
}

export function useFileActions(): FileActions {
  const navigate = useNavigate();
  return useMemo(() => {
    const goTo = (path: string, search: { preview?: string; details?: string } = {}) =>
      void navigate({ to: '/files/$', params: { _splat: path.replace(/^\//, '') }, search });
    return {
      open(entry) {
        if (entry.kind === 'folder') goTo(entry.path);
        else
          void navigate({
            to: '/files/$',
            params: (current) => ({ _splat: current._splat ?? '' }),
            search: (current) => ({ ...current, preview: entry.entryId }),
          });
      },
      showDetails: (entry) =>
        void navigate({
          to: '/files/$',
          params: (current) => ({ _splat: current._splat ?? '' }),
          search: (current) => ({ ...current, details: entry.entryId }),
        }),
      showInFolder: (entry) => goTo(parentPath(entry.path), { details: entry.entryId }),
      rewind: (folder) => void navigate({ to: '/rewind/$entryId', params: { entryId: folder.entryId } }),
      download: (entries) => downloadEntries(entries),
      rename,
      createFolder: makeFolder,
      move,
      copy,
      trash,
      take(kind, entries) {
        if (entries.length === 0) return;
        setClipboard({ kind, entries });
        showToast(t(kind === 'cut' ? 'cutNote' : 'copyNote', countAndName(entries)));
      },
      async paste(clipboard, to) {
        if (clipboard.kind === 'copy') {
          await copy(clipboard.entries, to);
          return;
        }
        setClipboard(null);
        await move(clipboard.entries, to);
      },
    };
  }, [navigate]);
}
