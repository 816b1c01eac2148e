import type { MemoryDisk, MemoryFile, MemoryFolder, MemoryNode } from './memory-disk.ts';

/** One thing in the tree as its owner sees it. */
export interface UserItem {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  /** Of a file; read-only, and a later write replaces it. */
  readonly bytes: Uint8Array | null;
  readonly executable: boolean;
  readonly target: string | null;
  readonly modifiedAtNs: bigint;
  /** In the steps of the disk's clock. */
  readonly changedAtNs: bigint;
  readonly inode: number;
}

/** Something that was taken out of the tree. */
export interface TakenItem {
  readonly node: MemoryNode;
}

/** What the owner of a synced folder does to it behind our back. Paths as in the port. */
export interface UserOperations {
  /** Creates the file or writes new content into it (the same inode). */
  writeFile(path: string, content: string | Uint8Array): void;
  readFile(path: string): Uint8Array;
  makeFolder(path: string): void;
  /** As the shell's `mv -T`: replaces a file or an empty folder. */
  rename(from: string, to: string): void;
  /** Removes with everything below it. */
  remove(path: string): void;
  makeLink(path: string, target: string): void;
  /** Another name for the same file. */
  makeHardLink(from: string, to: string): void;
  setExecutable(path: string, executable: boolean): void;
  setModifiedAt(path: string, modifiedAtUs: number): void;
  /** Makes something that is neither file, folder nor link. */
  makeFifo(path: string): void;
  /** Paths of everything in the tree but our private folder, with what it is, in order. */
  describe(): string[];
}

/** What a simulated owner can do and see on top of that. */
export interface MemoryUser extends UserOperations {
  /** Moves something, with all below it, out of the tree. */
  takeOut(path: string): TakenItem;
  putBack(path: string, taken: TakenItem): void;
  /** What is at a path, in the disk's own understanding of names; `null` for nothing. */
  find(path: string): UserItem | null;
  /** Names in a folder, of our private one too. */
  list(path: string): string[];
  /** Everything in the tree but our private folder, folders before what is in them. */
  walk(): UserItem[];
  /** Contents of the files in the rescue area. */
  rescued(): Uint8Array[];
  /** Names of the temporary files, open or left. */
  temporaries(): string[];
}

export type OnUserChange = (folderPath: string, changedPath: string) => void;

export function createMemoryUser(disk: MemoryDisk, onChange: OnUserChange): MemoryUser {
  function privateItems(name: string) {
    const own = disk.lookUp(disk.root, '.cairn');
    const folder = own?.kind === 'folder' ? disk.lookUp(own, name) : undefined;
    return folder?.kind === 'folder' ? [...folder.items.values()] : [];
  }

  function folderOf(path: string): { folder: MemoryFolder; name: string } {
    const names = path.split('/');
    const name = names.pop() as string;
    let folder = disk.root;
    for (const part of names) {
      const next = disk.lookUp(folder, part);
      if (next?.kind !== 'folder') throw new Error(`the user's "${path}": no folder "${part}"`);
      folder = next;
    }
    return { folder, name };
  }

  function at(path: string): MemoryNode {
    const { folder, name } = folderOf(path);
    const node = disk.lookUp(folder, name);
    if (node === undefined) throw new Error(`the user's "${path}" does not exist`);
    return node;
  }

  function changed(path: string): void {
    // What the user did counts as saved long ago: a power cut that also took it would prove nothing about us.
    disk.syncAllNames();
    onChange(path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '', path);
  }

  function put(path: string, node: MemoryNode): void {
    const { folder, name } = folderOf(path);
    if (disk.lookUp(folder, name) !== undefined) throw new Error(`the user's "${path}" exists`);
    disk.setName(folder, name, node);
    changed(path);
  }

  function durable(file: MemoryFile): MemoryFile {
    file.durableBytes = file.bytes;
    return file;
  }

  return {
    writeFile(path, content) {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content.slice();
      const { folder, name } = folderOf(path);
      const existing = disk.lookUp(folder, name);
      if (existing === undefined) {
        disk.assertRoom(bytes.length);
        disk.addUsed(bytes.length);
        put(path, durable(disk.createFile(bytes)));
        return;
      }
      if (existing.kind !== 'file') throw new Error(`the user's "${path}" is no file`);
      disk.assertRoom(bytes.length - existing.bytes.length);
      disk.addUsed(bytes.length - existing.bytes.length);
      existing.bytes = bytes;
      existing.changedAtNs = disk.nowNs();
      existing.modifiedAtNs = disk.storedTime(existing.changedAtNs);
      durable(existing);
      changed(path);
    },
    readFile(path) {
      const node = at(path);
      if (node.kind !== 'file') throw new Error(`the user's "${path}" is no file`);
      return node.bytes.slice();
    },
    makeFolder: (path) => put(path, disk.createFolder()),
    makeLink: (path, target) => put(path, disk.createLink(target)),
    makeFifo: (path) => put(path, disk.createSpecial()),
    rename(from, to) {
      const node = at(from);
      const source = folderOf(from);
      const destination = folderOf(to);
      const there = disk.lookUp(destination.folder, destination.name);
      if (there !== undefined && there !== node) {
        const emptyFolders = node.kind === 'folder' && there.kind === 'folder' && there.items.size === 0;
        if (!emptyFolders && (node.kind === 'folder' || there.kind === 'folder')) {
          throw new Error(`the user cannot replace "${to}"`);
        }
      }
      if (`${to}/`.startsWith(`${from}/`) && from !== to) throw new Error('a folder cannot go into itself');
      disk.atomically(() => {
        disk.setName(source.folder, source.name, null);
        disk.setName(destination.folder, destination.name, node);
      });
      changed(from);
      changed(to);
    },
    remove(path) {
      at(path);
      const { folder, name } = folderOf(path);
      disk.setName(folder, name, null);
      changed(path);
    },
    setExecutable(path, executable) {
      const node = at(path);
      if (node.kind !== 'file') throw new Error(`the user's "${path}" is no file`);
      node.executable = executable;
      node.changedAtNs = disk.nowNs();
      changed(path);
    },
    setModifiedAt(path, modifiedAtUs) {
      const node = at(path);
      node.modifiedAtNs = disk.storedTime(BigInt(modifiedAtUs) * 1000n);
      node.changedAtNs = disk.nowNs();
      changed(path);
    },
    makeHardLink(from, to) {
      const node = at(from);
      if (node.kind !== 'file') throw new Error(`the user's "${from}" is no file`);
      put(to, node);
    },
    takeOut(path) {
      const node = at(path);
      const { folder, name } = folderOf(path);
      disk.setName(folder, name, null);
      changed(path);
      return { node };
    },
    putBack: (path, { node }) => put(path, node),
    find(path) {
      const { folder, name } = folderOf(path);
      const node = disk.lookUp(folder, name);
      return node === undefined ? null : itemOf(path, node);
    },
    list(path) {
      const node = at(path);
      if (node.kind !== 'folder') throw new Error(`the user's "${path}" is no folder`);
      return [...node.items.values()].map(({ name }) => name);
    },
    walk() {
      const items: UserItem[] = [];
      const visit = (folder: MemoryFolder, prefix: string): void => {
        for (const { name, node } of folder.items.values()) {
          if (prefix === '' && name === '.cairn') continue;
          items.push(itemOf(prefix + name, node));
          if (node.kind === 'folder') visit(node, `${prefix}${name}/`);
        }
      };
      visit(disk.root, '');
      return items;
    },
    rescued: () => privateItems('rescue').flatMap(({ node }) => (node.kind === 'file' ? [node.bytes] : [])),
    temporaries: () => privateItems('temporary').map(({ name }) => name),
    describe() {
      const lines: string[] = [];
      const walk = (folder: MemoryFolder, prefix: string): void => {
        for (const { name, node } of folder.items.values()) {
          if (prefix === '' && name === '.cairn') continue;
          lines.push(describeNode(prefix + name, node));
          if (node.kind === 'folder') walk(node, `${prefix}${name}/`);
        }
      };
      walk(disk.root, '');
      return lines.sort();
    },
  };
}

function itemOf(path: string, node: MemoryNode): UserItem {
  return {
    path,
    kind: node.kind,
    bytes: node.kind === 'file' ? node.bytes : null,
    executable: node.kind === 'file' && node.executable,
    target: node.kind === 'link' ? node.target : null,
    modifiedAtNs: node.modifiedAtNs,
    changedAtNs: node.changedAtNs,
    inode: node.inode,
  };
}

function describeNode(path: string, node: MemoryNode): string {
  if (node.kind === 'file') {
    return `${path} file ${Buffer.from(node.bytes).toString('hex')}${node.executable ? ' x' : ''}`;
  }
  return node.kind === 'link' ? `${path} link ${node.target}` : `${path} ${node.kind}`;
}
