import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSystemEnvironment } from '@cairn/environment';
import { type Filesystem, openNodeFilesystem } from '@cairn/filesystem';
import { createId, type EntryId, type Epoch } from '@cairn/model';
import { openSqliteTreeStore, type TreeStore } from '@cairn/tree-store';

export const OLD_BYTES = Buffer.alloc(100_000, 'o');
export const NEW_BYTES = Buffer.alloc(150_000, 'n');
function idOf<Id extends string>(number: number): Id {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(number, 12);
  return createId<Id>(bytes);
}

export const ROOT_ID = idOf<EntryId>(1_000_000);
/** Files that the trees have in each generation. */
export const TREE_NODES = 300;

export function openFilesystem(root: string): Promise<Filesystem> {
  return openNodeFilesystem({ root: join(root, 'folder'), environment: createSystemEnvironment() });
}

export function openTrees(root: string) {
  return openSqliteTreeStore({
    path: join(root, 'trees.sqlite'),
    rootId: ROOT_ID,
    environment: createSystemEnvironment(),
  });
}

/** A folder that has been synced before: with a file, a link, a folder, and our private folder. */
export async function prepareFolder(root: string): Promise<void> {
  mkdirSync(join(root, 'folder', 'd'), { recursive: true });
  writeFileSync(join(root, 'folder', 'file'), OLD_BYTES);
  writeFileSync(join(root, 'folder', 'd', 'other'), OLD_BYTES);
  symlinkSync('old target', join(root, 'folder', 'link'));
  const filesystem = await openFilesystem(root);
  await filesystem.writeMarker('marker');
  await filesystem.close();
}

/** The whole of one generation of the three trees, with a cursor that names it. */
export function writeGeneration(trees: TreeStore, generation: number): void {
  for (let index = 0; index < TREE_NODES; index++) {
    const entryId = idOf<EntryId>(index);
    const common = { entryId, parentId: ROOT_ID, name: `name ${index} of ${generation}` };
    trees.remote.put({ ...common, kind: 'folder', sequence: generation });
    trees.local.put({
      ...common,
      kind: 'folder',
      identity: `identity ${index}`,
      fingerprint: `generation ${generation}`,
      sizeBytes: 0,
      executable: false,
      modifiedAtUs: 0,
      content: null,
      target: null,
      state: 'known',
    });
  }
  trees.setValue('generation', String(generation));
  trees.cursor = { epoch: idOf<Epoch>(2_000_000), sequence: generation, hash: 'a'.repeat(16) };
}

export async function doClientOperation(name: string, root: string): Promise<void> {
  if (name === 'flush-trees') {
    const { store } = openTrees(root);
    writeGeneration(store, 2);
    store.flush();
    process.stdout.write('flushed\n');
    store.close();
    return;
  }
  const filesystem = await openFilesystem(root);
  await operate(filesystem, name);
  await filesystem.close();
}

/** Also done a second time, by the process that comes after the killed one. */
export async function operate(filesystem: Filesystem, name: string): Promise<void> {
  const path =
    name === 'place-new' ? 'd/new' : name === 'link-new' || name === 'link-replace' ? 'link' : 'file';
  const current = await filesystem.status(name === 'link-new' ? 'd/link' : path);
  switch (name) {
    case 'place-new':
    case 'place-replace': {
      const temporary = await filesystem.openTemporary('download-1');
      const start = Math.min(temporary.existingBytes, NEW_BYTES.length);
      for (let at = start; at < NEW_BYTES.length; at += 50_000)
        await temporary.write(NEW_BYTES.subarray(at, at + 50_000), at);
      await temporary.truncate(NEW_BYTES.length);
      const attributes = { executable: true, modifiedAtUs: 1_600_000_000_000_000 };
      await temporary.sync(attributes);
      const expected = name === 'place-new' ? ({ absent: true } as const) : current;
      if (expected === null) throw new Error('the file is gone');
      await filesystem.place(temporary, path, expected, attributes);
      await filesystem.syncFolders([name === 'place-new' ? 'd' : '']);
      return;
    }
    case 'link-new':
      if (current === null) await filesystem.makeLink('d/link', 'new target', { absent: true });
      await filesystem.syncFolders(['d']);
      return;
    case 'link-replace':
      if (current === null) throw new Error('the link is gone');
      if (current.target !== 'new target') await filesystem.makeLink('link', 'new target', current);
      await filesystem.syncFolders(['']);
      return;
    case 'move':
      if (current !== null) await filesystem.move('file', 'd/moved', current.identity);
      await filesystem.syncFolders(['', 'd']);
      return;
    case 'displace':
      if (current !== null) await filesystem.displace('file', current);
      await filesystem.syncFolders(['']);
      return;
    default:
      throw new Error(`there is no operation ${name}`);
  }
}
