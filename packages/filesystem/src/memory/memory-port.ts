import type { Environment } from '@cairn/environment';
import { CairnError, findReservedName, foldName, PRIVATE_FOLDER } from '@cairn/model';
import type {
  Expectation,
  FileStatus,
  Filesystem,
  FolderItem,
  FolderWatch,
  OnStir,
  WatchHint,
} from '../filesystem.ts';
import {
  changedError,
  explain,
  FolderUnreachable,
  localError,
  missingError,
  rootMissingError,
  type WhenUnreachable,
} from '../local-errors.ts';
import { checkMove, isPrivateName, parseRescueName, rescueName, splitParent, splitPath } from '../paths.ts';
import type { MemoryOperation } from './fault-plan.ts';
import type { MemoryDisk, MemoryFile, MemoryFolder, MemoryNode } from './memory-disk.ts';
import { listMemoryAhead } from './memory-listing.ts';
import { createMemoryTemporaries } from './memory-temporaries.ts';

export interface MemoryPortOptions {
  readonly disk: MemoryDisk;
  readonly environment: Environment;
  readonly longestReadBytes: number;
  isRootPresent(): boolean;
  faultFor(operation: MemoryOperation, path: string): string | null;
  onChange(folderPath: string, changedPath: string): void;
  watch(onHint: (hint: WatchHint) => void, onStir?: OnStir): FolderWatch;
}

interface Place {
  readonly folder: MemoryFolder;
  readonly name: string;
  readonly node: MemoryNode | undefined;
}

/** One process's view of the simulated disk. Every call checks root and faults first, as a real disk fails. */
export function openMemoryPort(options: MemoryPortOptions): Filesystem {
  const { disk, environment } = options;
  const { capabilities } = disk;
  const ownRoot = disk.root;
  let closed = false;
  let rescued = 0;

  function check(operation: MemoryOperation, path: string): void {
    if (closed) throw new Error('the filesystem is closed');
    if (!options.isRootPresent() || disk.root !== ownRoot) throw rootMissingError('(simulated)');
    const code = options.faultFor(operation, path);
    // Who decides about faults may end the process, too.
    if (closed) throw new Error('the filesystem is closed');
    if (code === null) return;
    throw localError(Object.assign(new Error(`${code}: simulated`), { code }), operation, path);
  }

  function walk(names: readonly string[]): MemoryFolder {
    let folder = disk.root;
    for (const [index, name] of names.entries()) {
      const next = disk.lookUp(folder, name);
      if (next?.kind === 'folder') {
        folder = next;
        continue;
      }
      const reason = next === undefined ? 'missing' : next.kind === 'link' ? 'link' : 'not-a-folder';
      throw new FolderUnreachable(reason, names.slice(0, index + 1).join('/'));
    }
    return folder;
  }

  function folderAt(operation: MemoryOperation, path: string): MemoryFolder {
    check(operation, path);
    try {
      return walk(splitPath(path, capabilities.caseSensitive));
    } catch (error) {
      throw explain(error, operation, path, 'absent');
    }
  }

  function placeAt(operation: MemoryOperation, path: string, when: WhenUnreachable): Place {
    check(operation, path);
    return findPlace(operation, path, when);
  }

  function findPlace(operation: MemoryOperation, path: string, when: WhenUnreachable): Place {
    const { parent, name } = splitParent(path, capabilities.caseSensitive);
    const problem = findReservedName(name, capabilities.reservedNames);
    // The disk finds nothing under such a name, and makes nothing.
    if (problem !== null && when !== 'absent')
      throw new CairnError('local-io', `"${path}" cannot be on this disk: ${problem}; choose another name`);
    try {
      const folder = walk(parent);
      return { folder, name, node: disk.lookUp(folder, name) };
    } catch (error) {
      throw explain(error, operation, path, when);
    }
  }

  function privateFolder(name?: string): MemoryFolder {
    let folder = disk.root;
    for (const part of name === undefined ? [PRIVATE_FOLDER] : [PRIVATE_FOLDER, name]) {
      let next = disk.lookUp(folder, part);
      if (next === undefined) {
        next = disk.createFolder();
        disk.setName(folder, part, next);
      }
      if (next.kind !== 'folder') throw new CairnError('local-io', `${part} is not a folder; remove it`);
      folder = next;
    }
    return folder;
  }

  function changed(path: string): void {
    options.onChange(path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '', path);
  }

  function assertExpected(place: Place, path: string, expected: Expectation): void {
    if ('absent' in expected) {
      if (place.node !== undefined) throw changedError(path, 'something is there already');
      return;
    }
    if (place.node === undefined) throw changedError(path, 'it is gone');
    assertFingerprint(place.node, path, expected.fingerprint);
    if (place.node.kind !== 'file' && place.node.kind !== 'link') {
      throw changedError(path, 'it is neither a file nor a link');
    }
  }

  function assertFingerprint(node: MemoryNode, path: string, fingerprint: string): void {
    if (disk.statusOf(node).fingerprint !== fingerprint) throw changedError(path, 'it has changed meanwhile');
  }

  function present(place: Place, path: string): MemoryNode {
    if (place.node === undefined) throw changedError(path, 'it is gone');
    return place.node;
  }

  function keepInRescue(node: MemoryNode, name: string): void {
    disk.setName(privateFolder('rescue'), rescueName(environment.clock.now(), ++rescued, name), node);
  }

  function putAt(place: Place, node: MemoryNode, temporaryName: string | null): void {
    if (place.node !== undefined) keepInRescue(place.node, place.name);
    disk.atomically(() => {
      if (temporaryName !== null) disk.setName(privateFolder('temporary'), temporaryName, null);
      // A folding disk keeps the spelling that is there.
      disk.setName(place.folder, disk.storedName(place.folder, place.name) ?? place.name, node);
    });
  }

  const temporaries = createMemoryTemporaries({ disk, environment, check, privateFolder });

  return {
    capabilities,
    async list(path) {
      const folder = folderAt('list', path);
      const items: FolderItem[] = [];
      for (const { name, node } of folder.items.values()) {
        if (path === '' && isPrivateName(name, capabilities.caseSensitive)) continue;
        items.push({ name, unrepresentable: false, status: disk.statusOf(node) });
      }
      return items;
    },
    async status(path) {
      if (path === '') return disk.statusOf(folderAt('status', path));
      try {
        const { node } = placeAt('status', path, 'absent');
        return node === undefined ? null : disk.statusOf(node);
      } catch (error) {
        if (error instanceof CairnError && error.code === 'not-found') return null;
        throw error;
      }
    },
    async openRead(path) {
      const { node } = placeAt('openRead', path, 'absent');
      if (node === undefined) throw missingError(path);
      if (node.kind !== 'file') {
        throw new CairnError('not-a-file', `"${path}" is not a regular file and is not opened`);
      }
      return {
        status: async () => disk.statusOf(node),
        async read(into, position) {
          check('read', path);
          const length = Math.min(into.length, options.longestReadBytes);
          const piece = node.bytes.subarray(position, position + length);
          into.set(piece);
          return piece.length;
        },
        close: async () => undefined,
      };
    },
    openTemporary: temporaries.open,
    removeOldTemporaries: temporaries.removeOld,
    freeBytes: async () => disk.freeBytes,
    async place(temporary, path, expected, attributes) {
      const own = temporaries.own(temporary);
      const place = placeAt('place', path, 'changed');
      assertExpected(place, path, expected);
      const old = place.node?.kind === 'file' ? place.node : null;
      own.file.executable = attributes.executable ?? old?.executable ?? false;
      setModifiedAt(own.file, attributes.modifiedAtUs);
      putAt(place, own.file, own.name);
      own.finish();
      changed(path);
      return disk.statusOf(own.file);
    },
    async makeFolder(path) {
      const place = placeAt('makeFolder', path, 'changed');
      if (place.node !== undefined) throw changedError(path, 'something is there already');
      const folder = disk.createFolder();
      disk.setName(place.folder, place.name, folder);
      changed(path);
      return disk.statusOf(folder);
    },
    async makeLink(path, target, expected) {
      const place = placeAt('makeLink', path, 'changed');
      assertExpected(place, path, expected);
      if (!capabilities.symbolicLinks) {
        throw localError(Object.assign(new Error('no links'), { code: 'EPERM' }), 'make the link', path);
      }
      const link = disk.createLink(target);
      putAt(place, link, null);
      changed(path);
      return disk.statusOf(link);
    },
    async move(from, to, expectedIdentity) {
      checkMove(from, to);
      // Whoever decides about faults may change what is there, at either name.
      check('move', from);
      check('move', to);
      const source = findPlace('move', from, 'changed');
      const destination = findPlace('move', to, 'changed');
      const node = present(source, from);
      if (disk.statusOf(node).identity !== expectedIdentity) {
        throw changedError(from, 'it is another one now');
      }
      const otherSpelling =
        destination.node === node && source.folder === destination.folder && source.name !== destination.name;
      const twoNames = disk.storedName(destination.folder, destination.name) === destination.name;
      // A process may have ended between giving the second name and taking the first away.
      const halfMoved =
        destination.node === node &&
        node.kind !== 'folder' &&
        (source.folder !== destination.folder || foldName(source.name) !== foldName(destination.name));
      if (destination.node !== undefined && (!otherSpelling || twoNames) && !halfMoved) {
        throw changedError(to, 'something is there already');
      }
      disk.atomically(() => {
        disk.setName(source.folder, source.name, null);
        disk.setName(destination.folder, destination.name, node);
      });
      changed(from);
      changed(to);
      return disk.statusOf(node);
    },
    async displace(path, expected) {
      const place = placeAt('displace', path, 'changed');
      const node = present(place, path);
      assertFingerprint(node, path, expected.fingerprint);
      if (node.kind === 'folder') {
        throw new CairnError('not-a-file', `"${path}" is a folder; remove what is in it, then the folder`);
      }
      disk.atomically(() => {
        keepInRescue(node, place.name);
        disk.setName(place.folder, place.name, null);
      });
      changed(path);
    },
    async removeFolder(path) {
      const place = placeAt('removeFolder', path, 'changed');
      const node = present(place, path);
      if (node.kind !== 'folder') throw changedError(path, 'it is not a folder');
      if (node.items.size > 0) throw changedError(path, 'it is not empty');
      disk.setName(place.folder, place.name, null);
      changed(path);
    },
    async setAttributes(path, attributes, expected) {
      const node = present(placeAt('setAttributes', path, 'changed'), path);
      assertFingerprint(node, path, expected.fingerprint);
      if (node.kind === 'other') throw changedError(path, 'it is neither a file nor a folder');
      if (node.kind === 'file' && attributes.executable !== undefined) {
        node.executable = attributes.executable;
      }
      setModifiedAt(node, attributes.modifiedAtUs);
      changed(path);
      return disk.statusOf(node);
    },
    async syncFolders(paths) {
      const rescue = privateFolder('rescue');
      disk.syncNames(rescue);
      for (const path of paths) {
        try {
          disk.syncNames(folderAt('syncFolders', path));
        } catch (error) {
          if (!(error instanceof CairnError && error.code === 'not-found')) throw error;
        }
      }
    },
    async listRescued() {
      check('listRescued', '');
      return rescuedItems();
    },
    async removeOldRescued(olderThanMs, keepBytes) {
      check('removeOldRescued', '');
      const items = rescuedItems();
      const before = environment.clock.now() - olderThanMs;
      let keptBytes = items.reduce((sum, item) => sum + item.sizeBytes, 0);
      let removedItems = 0;
      let removedBytes = 0;
      for (const item of items) {
        if (item.rescuedAt > before || keptBytes <= keepBytes) break;
        disk.setName(privateFolder('rescue'), item.name, null);
        disk.addUsed(-item.sizeBytes);
        keptBytes -= item.sizeBytes;
        removedBytes += item.sizeBytes;
        removedItems++;
      }
      return { removedItems, removedBytes, keptBytes };
    },
    async readMarker() {
      check('readMarker', '');
      return markerText();
    },
    async writeMarker(text) {
      check('writeMarker', '');
      setMarker(text);
    },
    async replaceMarker(expected, text) {
      check('writeMarker', '');
      if (markerText() !== expected) return false;
      setMarker(text);
      return true;
    },
    async watch(onHint, onStir) {
      check('watch', '');
      return options.watch(onHint, onStir);
    },
    listAhead() {
      return listMemoryAhead(
        disk,
        () => environment.clock.now(),
        (path) => {
          return options.isRootPresent() && options.faultFor('list', path) === null;
        },
      );
    },
    async close() {
      closed = true;
    },
  };

  function markerText(): string | null {
    const folder = disk.lookUp(disk.root, PRIVATE_FOLDER);
    const marker = folder?.kind === 'folder' ? disk.lookUp(folder, 'marker') : undefined;
    return marker?.kind === 'file' ? new TextDecoder().decode(marker.bytes) : null;
  }

  function setMarker(text: string): void {
    const marker = disk.createFile(new TextEncoder().encode(text));
    marker.durableBytes = marker.bytes;
    disk.setName(privateFolder(), 'marker', marker);
    disk.syncAllNames();
  }

  function rescuedItems() {
    return [...privateFolder('rescue').items.values()]
      .flatMap(({ name, node }) => {
        const parsed = parseRescueName(name);
        return parsed === null
          ? []
          : [{ name, ...parsed, sizeBytes: disk.statusOf(node).sizeBytes, writtenLate: false }];
      })
      .sort((a, b) => a.rescuedAt - b.rescuedAt || (a.name < b.name ? -1 : 1));
  }

  function setModifiedAt(node: MemoryNode | MemoryFile, modifiedAtUs: number | undefined): FileStatus {
    node.changedAtNs = disk.nowNs();
    if (modifiedAtUs !== undefined) node.modifiedAtNs = disk.storedTime(BigInt(modifiedAtUs) * 1000n);
    return disk.statusOf(node);
  }
}
