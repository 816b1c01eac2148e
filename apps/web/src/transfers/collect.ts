import type { DroppedItem } from './upload-types.ts';

/** More than this in one drop is almost surely a mistake, such as a whole disk. */
const MAX_ITEMS = 200_000;
/** Folders inside each other; the server takes no more. */
const MAX_DEPTH = 500;

interface HandleItem extends DataTransferItem {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
}

interface PickerWindow extends Window {
  showOpenFilePicker?(options: { readonly multiple: boolean }): Promise<FileSystemFileHandle[]>;
  showDirectoryPicker?(options: { readonly mode: 'read' }): Promise<FileSystemDirectoryHandle>;
}

/**
 * The files and folders of a drop, with everything in them. To be called in the event itself, as browsers empty it
 * afterwards. Where the browser gives handles, uploads of them survive a reload.
 */
export function collectDropped(data: DataTransfer): Promise<DroppedItem[]> {
  const items = [...data.items].filter(({ kind }) => kind === 'file') as HandleItem[];
  const readers = items.map((item) => {
    // All of these must be called before the event is over.
    const handle = item.getAsFileSystemHandle?.().catch(() => null);
    return { handle, entry: item.webkitGetAsEntry(), file: item.getAsFile() };
  });
  return collect(async (into) => {
    for (const reader of readers) {
      const handle = (await reader.handle) ?? null;
      if (handle !== null) await readHandle(handle, '', handle, into, 0);
      else if (reader.entry !== null) await readEntry(reader.entry, '', into, 0);
      else if (reader.file !== null) into(itemOf(reader.file, reader.file.name));
    }
  });
}

/** Files of a paste, such as a screenshot; an empty list when there are none. */
export function collectPasted(data: DataTransfer): DroppedItem[] {
  return [...data.files].map((file) => itemOf(file, file.name));
}

/** Files of an `<input type="file">`, with or without `webkitdirectory`. */
export function collectChosen(files: FileList): DroppedItem[] {
  return [...files].map((file) => itemOf(file, file.webkitRelativePath || file.name));
}

/** Lets the person choose files. Resolves with an empty list when they do not. Only from a click. */
export async function pickFiles(): Promise<DroppedItem[]> {
  const { showOpenFilePicker } = window as PickerWindow;
  if (showOpenFilePicker === undefined) return pickByInput(false);
  return unlessDismissed(async () => {
    const handles = await showOpenFilePicker.call(window, { multiple: true });
    return collect(async (into) => {
      for (const handle of handles) await readHandle(handle, '', handle, into, 0);
    });
  });
}

/** As {@link pickFiles}, a folder with everything in it. */
export async function pickFolder(): Promise<DroppedItem[]> {
  const { showDirectoryPicker } = window as PickerWindow;
  if (showDirectoryPicker === undefined) return pickByInput(true);
  return unlessDismissed(async () => {
    const handle = await showDirectoryPicker.call(window, { mode: 'read' });
    return collect((into) => readHandle(handle, '', handle, into, 0));
  });
}

async function unlessDismissed(pick: () => Promise<DroppedItem[]>): Promise<DroppedItem[]> {
  try {
    return await pick();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return [];
    throw error;
  }
}

/** Held while its dialog is open: an input that is on no page could be collected, and never answer. */
let askedInput: HTMLInputElement | null = null;

function pickByInput(isFolder: boolean): Promise<DroppedItem[]> {
  return new Promise((resolve) => {
    const input = document.createElement('input');
    askedInput = input;
    function answer(items: DroppedItem[]): void {
      if (askedInput === input) askedInput = null;
      resolve(items);
    }
    input.type = 'file';
    input.multiple = true;
    input.webkitdirectory = isFolder;
    input.addEventListener('change', () => answer(input.files === null ? [] : collectChosen(input.files)));
    input.addEventListener('cancel', () => answer([]));
    input.click();
  });
}

type Take = (item: DroppedItem) => void;

async function collect(read: (into: Take) => Promise<void>): Promise<DroppedItem[]> {
  const items: DroppedItem[] = [];
  await read((item) => {
    if (items.length < MAX_ITEMS) items.push(item);
  });
  return items;
}

function itemOf(file: File, relativePath: string): DroppedItem {
  return { kind: 'file', relativePath, file };
}

async function readHandle(
  handle: FileSystemHandle,
  above: string,
  root: FileSystemHandle,
  into: Take,
  depth: number,
): Promise<void> {
  const relativePath = above + handle.name;
  if (handle.kind === 'file') {
    const fileHandle = handle as FileSystemFileHandle;
    try {
      into({ kind: 'file', relativePath, file: await fileHandle.getFile(), handle: fileHandle, root });
    } catch {
      // Gone, or not for us; the worker tries once more and says so.
      into({ kind: 'file', relativePath, handle: fileHandle, root });
    }
    return;
  }
  if (depth >= MAX_DEPTH) return;
  let isEmpty = true;
  for await (const child of (handle as FileSystemDirectoryHandle).values()) {
    isEmpty = false;
    await readHandle(child, `${relativePath}/`, root, into, depth + 1);
  }
  if (isEmpty) into({ kind: 'folder', relativePath });
}

async function readEntry(entry: FileSystemEntry, above: string, into: Take, depth: number): Promise<void> {
  const relativePath = above + entry.name;
  if (entry.isFile) {
    const file = await new Promise<File | null>((resolve) =>
      (entry as FileSystemFileEntry).file(resolve, () => resolve(null)),
    );
    if (file !== null) into(itemOf(file, relativePath));
    return;
  }
  if (depth >= MAX_DEPTH) return;
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  let isEmpty = true;
  for (;;) {
    // Browsers give a hundred at a time.
    const children = await new Promise<FileSystemEntry[]>((resolve) =>
      reader.readEntries(resolve, () => resolve([])),
    );
    if (children.length === 0) break;
    isEmpty = false;
    for (const child of children) await readEntry(child, `${relativePath}/`, into, depth + 1);
  }
  if (isEmpty) into({ kind: 'folder', relativePath });
}
