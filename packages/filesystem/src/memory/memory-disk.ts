import type { Environment } from '@cairn/environment';
import { findReservedName } from '@cairn/model';
import type { FileStatus, FilesystemCapabilities } from '../filesystem.ts';
import { formatFingerprint } from '../fingerprint.ts';

export interface MemoryFile {
  readonly kind: 'file';
  readonly inode: number;
  readonly bornAtNs: bigint;
  modifiedAtNs: bigint;
  changedAtNs: bigint;
  executable: boolean;
  bytes: Uint8Array;
  /** What a power cut leaves of the bytes; `null` while they are not durable and never were. */
  durableBytes: Uint8Array | null;
}

export interface MemoryLink {
  readonly kind: 'link';
  readonly inode: number;
  readonly bornAtNs: bigint;
  modifiedAtNs: bigint;
  changedAtNs: bigint;
  readonly target: string;
}

export interface MemorySpecial {
  readonly kind: 'other';
  readonly inode: number;
  readonly bornAtNs: bigint;
  modifiedAtNs: bigint;
  changedAtNs: bigint;
}

export interface MemoryFolder {
  readonly kind: 'folder';
  readonly inode: number;
  readonly bornAtNs: bigint;
  modifiedAtNs: bigint;
  changedAtNs: bigint;
  /** By folded name. */
  readonly items: Map<string, { name: string; node: MemoryNode }>;
}

export type MemoryNode = MemoryFile | MemoryLink | MemorySpecial | MemoryFolder;

/** A change of one name that a power cut may still undo. */
interface NameChange {
  readonly folder: MemoryFolder;
  readonly key: string;
  readonly before: { name: string; node: MemoryNode } | undefined;
  /** Changes of one group survive together or not at all. */
  readonly group: number;
}

export interface MemoryDisk {
  /** What is mounted at the root's path: the disk itself, or the empty folder below its mount point. */
  readonly root: MemoryFolder;
  readonly capabilities: FilesystemCapabilities;
  lookUp(folder: MemoryFolder, name: string): MemoryNode | undefined;
  /** The name as stored, which on a folding disk may be spelled otherwise than asked. */
  storedName(folder: MemoryFolder, name: string): string | undefined;
  setName(folder: MemoryFolder, name: string, node: MemoryNode | null): void;
  /** The name changes made in `change` survive a power cut together or not at all. */
  atomically(change: () => void): void;
  createFile(bytes: Uint8Array): MemoryFile;
  createFolder(): MemoryFolder;
  createLink(target: string): MemoryLink;
  createSpecial(): MemorySpecial;
  statusOf(node: MemoryNode): FileStatus;
  nowNs(): bigint;
  /** Rounds a modification time as this disk stores it. */
  storedTime(nanoseconds: bigint): bigint;
  /** The next thing that is made gets this inode, as on many disks; the one that had it must have no name left. */
  reuseInode(inode: number): void;
  assertRoom(moreBytes: number): void;
  addUsed(bytes: number): void;
  setCapacity(bytes: number): void;
  /** All name changes up to the last one in this folder survive a power cut from now on. */
  syncNames(folder: MemoryFolder): void;
  syncAllNames(): void;
  /** A power cut: undoes a random number of the newest unsynced name changes and forgets unsynced bytes. */
  powerCut(): void;
  readonly usedBytes: number;
  /** `null` on a disk without end. */
  readonly freeBytes: number | null;
  /** `false` shows an empty folder in place of the root, as where a disk is not mounted; `true` the root again. */
  setMounted(mounted: boolean): void;
  /** Makes this empty disk hold what the other one does, with the same inodes, as an image of it would. */
  copyFrom(other: MemoryDisk): void;
  /** Where the next inode number and the newest instant of a copied disk are found. */
  readonly nextInode: number;
}

export interface MemoryDiskOptions {
  readonly environment: Environment;
  readonly capabilities: FilesystemCapabilities;
  readonly capacityBytes: number;
  readonly timeGranularityNs: bigint;
  /** The same for the time of the last change of anything (ctime). */
  readonly changeGranularityNs: bigint;
  /** Names come back decomposed, however they were written. */
  readonly decomposesNames: boolean;
}

/** The state of a simulated disk: inodes, names, times and what of it is durable. */
export function createMemoryDisk(options: MemoryDiskOptions): MemoryDisk {
  const { environment, capabilities, timeGranularityNs, changeGranularityNs } = options;
  let { capacityBytes } = options;
  let nextInode = 1;
  const freeInodes: number[] = [];
  let usedBytes = 0;
  let ticks = 0n;
  let lastMs = -1;
  let group = 0;
  let grouping = false;
  let unsynced: NameChange[] = [];

  function foldKey(name: string): string {
    const unicode = capabilities.unicodeSensitive ? name : name.normalize('NFD');
    if (capabilities.caseSensitive) return unicode;
    return unicode.toUpperCase().toLowerCase();
  }

  /**
   * The simulated clock has milliseconds; steps within one keep every change apart, as a precise clock would. With a
   * granularity they do not: two changes within one step cannot be told apart.
   */
  function nowNs(): bigint {
    const now = environment.clock.now();
    ticks = now === lastMs ? ticks + 1n : 0n;
    lastMs = now;
    return cut(BigInt(Math.floor(now)) * 1_000_000n + ticks, changeGranularityNs);
  }

  function storedTime(nanoseconds: bigint): bigint {
    return cut(nanoseconds, timeGranularityNs);
  }

  function times() {
    const now = nowNs();
    return {
      inode: freeInodes.pop() ?? nextInode++,
      bornAtNs: now,
      modifiedAtNs: storedTime(now),
      changedAtNs: now,
    };
  }

  function createFolder(): MemoryFolder {
    return { kind: 'folder', ...times(), items: new Map() };
  }

  let mounted = createFolder();
  let root = mounted;
  const disk: MemoryDisk = {
    get root() {
      return root;
    },
    setMounted(isMounted) {
      root = isMounted ? mounted : createFolder();
    },
    copyFrom(other) {
      nextInode = Math.max(nextInode, other.nextInode);
      mounted = copyNode(other.root, new Map()) as MemoryFolder;
      root = mounted;
      usedBytes = other.usedBytes;
    },
    get nextInode() {
      return nextInode;
    },
    capabilities,
    lookUp: (folder, name) => folder.items.get(foldKey(name))?.node,
    storedName: (folder, name) => folder.items.get(foldKey(name))?.name,
    setName(folder, name, node) {
      const problem = node === null ? null : findReservedName(name, capabilities.reservedNames);
      if (problem !== null) throw new Error(`EINVAL: ${problem}`);
      const key = foldKey(name);
      if (!grouping) group++;
      unsynced.push({ folder, key, before: folder.items.get(key), group });
      if (node === null) folder.items.delete(key);
      else folder.items.set(key, { name: options.decomposesNames ? name.normalize('NFD') : name, node });
      const now = nowNs();
      folder.modifiedAtNs = storedTime(now);
      folder.changedAtNs = now;
      if (node !== null) node.changedAtNs = nowNs();
    },
    atomically(change) {
      group++;
      grouping = true;
      try {
        change();
      } finally {
        grouping = false;
      }
    },
    createFile(bytes) {
      return { kind: 'file', ...times(), executable: false, bytes, durableBytes: null };
    },
    createFolder,
    createLink: (target) => ({ kind: 'link', ...times(), target }),
    createSpecial: () => ({ kind: 'other', ...times() }),
    statusOf(node) {
      const sizeBytes =
        node.kind === 'file' ? node.bytes.length : node.kind === 'link' ? Buffer.byteLength(node.target) : 0;
      return {
        kind: node.kind,
        identity: `1:${node.inode}:${capabilities.birthTimes ? node.bornAtNs : 0n}`,
        fingerprint: formatFingerprint({ ...node, sizeBytes }),
        sizeBytes,
        modifiedAtNs: node.modifiedAtNs,
        changedAtNs: node.changedAtNs,
        executable: node.kind === 'file' && node.executable && capabilities.executableBit,
        device: '1',
        target: node.kind === 'link' ? node.target : null,
      };
    },
    nowNs,
    storedTime,
    reuseInode: (inode) => void freeInodes.push(inode),
    assertRoom(moreBytes) {
      if (usedBytes + moreBytes > capacityBytes) {
        throw Object.assign(new Error('ENOSPC: no space left on the simulated disk'), { code: 'ENOSPC' });
      }
    },
    setCapacity(bytes) {
      capacityBytes = bytes;
    },
    addUsed(bytes) {
      usedBytes += bytes;
    },
    get usedBytes() {
      return usedBytes;
    },
    get freeBytes() {
      return Number.isFinite(capacityBytes) ? Math.max(0, capacityBytes - usedBytes) : null;
    },
    syncNames(folder) {
      const last = unsynced.findLast((change) => change.folder === folder);
      if (last !== undefined) unsynced = unsynced.filter((change) => change.group > last.group);
    },
    syncAllNames() {
      unsynced = [];
    },
    powerCut() {
      const first = unsynced[0]?.group ?? group;
      const lost = first + Math.floor(environment.random.fraction() * (group - first + 2));
      for (const change of unsynced.filter((each) => each.group >= lost).reverse()) {
        if (change.before === undefined) change.folder.items.delete(change.key);
        else change.folder.items.set(change.key, change.before);
      }
      unsynced = [];
      usedBytes = 0;
      for (const file of filesBelow(mounted, new Set())) {
        if (file.durableBytes !== file.bytes) {
          // Bytes that were never synced may be there in part, as zeros, or not at all.
          file.bytes = file.durableBytes ?? tornBytes(file.bytes, environment.random.fraction());
          file.durableBytes = file.bytes;
        }
        usedBytes += file.bytes.length;
      }
    },
  };
  return disk;
}

function cut(nanoseconds: bigint, granularityNs: bigint): bigint {
  const rest = ((nanoseconds % granularityNs) + granularityNs) % granularityNs;
  return nanoseconds - rest;
}

/** Files with several names stay one file. */
function copyNode(node: MemoryNode, copies: Map<MemoryNode, MemoryNode>): MemoryNode {
  const known = copies.get(node);
  if (known !== undefined) return known;
  if (node.kind !== 'folder') {
    const copy = node.kind === 'file' ? { ...node, bytes: node.bytes.slice() } : { ...node };
    if (copy.kind === 'file') copy.durableBytes = copy.bytes;
    copies.set(node, copy);
    return copy;
  }
  const items = new Map<string, { name: string; node: MemoryNode }>();
  for (const [key, { name, node: child }] of node.items)
    items.set(key, { name, node: copyNode(child, copies) });
  return { ...node, items };
}

function tornBytes(bytes: Uint8Array, fraction: number): Uint8Array {
  if (fraction < 0.5) return bytes.slice(0, Math.floor(bytes.length * fraction));
  const torn = new Uint8Array(bytes.length);
  torn.set(bytes.subarray(0, Math.floor(bytes.length * (fraction - 0.5))));
  return torn;
}

/** Every file once, however many names it has. */
function* filesBelow(folder: MemoryFolder, seen: Set<MemoryFile>): Generator<MemoryFile> {
  for (const { node } of folder.items.values()) {
    if (node.kind === 'folder') yield* filesBelow(node, seen);
    else if (node.kind === 'file' && !seen.has(node)) {
      seen.add(node);
      yield node;
    }
  }
}
