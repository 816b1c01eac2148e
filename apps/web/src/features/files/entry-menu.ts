import type { FileObject } from '@cairn/protocol';
import {
  ClipboardPaste,
  Copy,
  Download,
  Eye,
  FolderInput,
  FolderOpen,
  FolderPlus,
  FolderSearch,
  FolderUp,
  History,
  Info,
  Pencil,
  Scissors,
  Trash2,
  Upload,
} from 'lucide-react';
import type { Destination } from '../../api/entries.ts';
import type { MenuEntry } from '../../ui/menu.tsx';
import type { BrowserModel } from './browser-model.ts';
import type { Clipboard } from './clipboard.ts';
import { t } from './strings.ts';

export interface EntryMenuOptions {
  readonly model: BrowserModel;
  readonly folder: Destination | null;
  readonly clipboard: Clipboard | null;
  readonly onMove: (entries: readonly FileObject[]) => void;
  readonly onCopy: (entries: readonly FileObject[]) => void;
}

/** The menu of what is selected. */
export function entryMenu(options: EntryMenuOptions): readonly MenuEntry[] {
  const { model, folder, clipboard } = options;
  const { actions } = model;
  const targets = model.entries.filter(({ entryId }) => model.selection.selected.has(entryId));
  const [only] = targets.length === 1 ? targets : [];
  return [
    ...(only === undefined
      ? []
      : ([
          {
            label: only.kind === 'folder' ? t('open') : t('preview'),
            icon: only.kind === 'folder' ? FolderOpen : Eye,
            shortcut: 'Enter',
            onSelect: () => actions.open(only),
          },
        ] satisfies MenuEntry[])),
    ...(only !== undefined && model.showsPlaces
      ? ([
          { label: t('showFolder'), icon: FolderSearch, onSelect: () => actions.showInFolder(only) },
        ] satisfies MenuEntry[])
      : []),
    { label: t('download'), icon: Download, onSelect: () => actions.download(targets) },
    'line',
    ...(only === undefined
      ? []
      : ([
          {
            label: t('rename'),
            icon: Pencil,
            shortcut: 'F2',
            // The menu gives the focus back first.
            onSelect: () => setTimeout(() => model.setRenamingId(only.entryId)),
          },
        ] satisfies MenuEntry[])),
    { label: t('move'), icon: FolderInput, onSelect: () => options.onMove(targets) },
    { label: t('copy'), icon: Copy, onSelect: () => options.onCopy(targets) },
    { label: t('cut'), icon: Scissors, shortcut: 'Ctrl X', onSelect: () => actions.take('cut', targets) },
    { label: t('copyShort'), icon: Copy, shortcut: 'Ctrl C', onSelect: () => actions.take('copy', targets) },
    ...(clipboard !== null && folder !== null
      ? ([
          {
            label: t('paste'),
            icon: ClipboardPaste,
            shortcut: 'Ctrl V',
            onSelect: () => void actions.paste(clipboard, only?.kind === 'folder' ? only : folder),
          },
        ] satisfies MenuEntry[])
      : []),
    'line',
    ...(only === undefined
      ? []
      : ([
          { label: t('details'), icon: Info, onSelect: () => actions.showDetails(only) },
          ...(only.kind === 'folder'
            ? [{ label: t('rewind'), icon: History, onSelect: () => actions.rewind(only) }]
            : []),
          'line',
        ] satisfies MenuEntry[])),
    {
      label: t('delete'),
      icon: Trash2,
      shortcut: 'Del',
      danger: true,
      onSelect: () => void actions.trash(targets),
    },
  ];
}

export interface FolderMenuOptions {
  readonly model: BrowserModel;
  readonly folder: FileObject;
  readonly clipboard: Clipboard | null;
  readonly onNewFolder: () => void;
  readonly onUploadFiles: () => void;
  readonly onUploadFolder: () => void;
}

/** The menu of the folder itself. */
export function folderMenu(options: FolderMenuOptions): readonly MenuEntry[] {
  const { model, folder, clipboard } = options;
  return [
    { label: t('newFolder'), icon: FolderPlus, onSelect: options.onNewFolder },
    { label: t('uploadFiles'), icon: Upload, onSelect: options.onUploadFiles },
    { label: t('uploadFolder'), icon: FolderUp, onSelect: options.onUploadFolder },
    'line',
    {
      label: t('paste'),
      icon: ClipboardPaste,
      shortcut: 'Ctrl V',
      disabled: clipboard === null,
      onSelect: () => {
        if (clipboard !== null) void model.actions.paste(clipboard, folder);
      },
    },
    {
      label: t('selectAll'),
      shortcut: 'Ctrl A',
      disabled: model.ids.length === 0,
      onSelect: () => model.dispatch({ type: 'all', ids: model.ids }),
    },
    'line',
    { label: t('rewind'), icon: History, onSelect: () => model.actions.rewind(folder) },
  ];
}
