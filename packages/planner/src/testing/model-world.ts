import { type ConflictPolicy, type Entry, type EntryId, findReservedName } from '@cairn/model';
import type { LocalNode } from '../trees.ts';
import { ModelDevice } from './model-device.ts';
import { contentOf, localOf, ROOT, syncedOf } from './model-nodes.ts';
import { ModelServer } from './model-server.ts';

const KINDS = [
  'create',
  'create',
  'edit',
  'edit',
  'move',
  'move',
  'rename',
  'rename',
  'remove',
  'remove',
  'swap',
  'rotate',
  'touch',
  'retype',
  'case',
  'folder',
  'link',
  'chmod',
] as const;
/** Names that a disk like Windows' refuses, and what folds to one of them. */
const RESERVED_NAMES = ['con', 'a:b', 'A:B', 'a.', 'Nul.txt'];
const NAMES = ['a', 'b', 'c', 'd', 'A', 'é', 'e\u0301', 'a.txt', 'ss', 'ß', '__proto__'];

/** What a user does; the numbers choose among what is there, so any numbers make sense. */
export interface UserAction {
  readonly device: number;
  readonly kind: number;
  readonly first: number;
  readonly second: number;
  readonly name: number;
}

/** A server and devices with users who write unique values. */
export class ModelWorld {
  readonly server: ModelServer;
  readonly devices: ModelDevice[];
  /** Values that a user wrote, and those that a user has replaced or removed again. */
  readonly written = new Set<string>();
  readonly retired = new Set<string>();
  #value = 0;
  #names: readonly string[] = NAMES;

  constructor(folds: readonly boolean[]) {
    const root: Entry = { entryId: ROOT, parentId: null, name: '', sequence: 0, kind: 'folder' };
    this.server = new ModelServer(root);
    this.devices = folds.map(
      (foldsNames, index) => new ModelDevice(String.fromCharCode(65 + index), this.server, { foldsNames }),
    );
    for (const device of this.devices) {
      device.disk.set(localOf(ROOT, null as never, '', {}));
      device.synced.set(syncedOf(root));
      device.follow();
    }
  }

  /** These devices refuse what Windows refuses, and users of the others use such names. */
  useReservedNames(refusing: readonly boolean[]): void {
    this.#names = [...NAMES, ...RESERVED_NAMES];
    for (const [index, device] of this.devices.entries())
      if (refusing[index] === true) device.options = { ...device.options, reservedNames: 'windows' };
  }

  newValue(): string {
    const value = `v${++this.#value}`;
    this.written.add(value);
    return value;
  }

  act(action: UserAction): void {
    const device = this.devices[action.device % this.devices.length] as ModelDevice;
    const { disk } = device;
    const all = disk
      .values()
      .filter((node) => node.entryId !== ROOT)
      .sort((a, b) => (a.entryId < b.entryId ? -1 : 1));
    const pick = (number: number, list = all) => list[number % Math.max(1, list.length)];
    const folders = [disk.get(ROOT) as LocalNode, ...all.filter((node) => node.kind === 'folder')];
    const folder = pick(action.second, folders) as LocalNode;
    const node = pick(action.first);
    const name = this.#names[action.name % this.#names.length] as string;
    const kind = KINDS[action.kind % KINDS.length];
    const move = (which: LocalNode, parentId: EntryId, to: string) => {
      if (disk.isInside(parentId, which.entryId) || !device.isFree(parentId, to, which.entryId)) return;
      disk.set({ ...which, parentId, name: to });
    };
    if (kind === 'create' || kind === 'folder' || kind === 'link') {
      if (!device.isFree(folder.entryId, name, null)) return;
      this.#make(device, folder.entryId, name, kind === 'create' ? 'file' : kind);
      return;
    }
    if (node === undefined) return;
    const parentId = node.parentId as EntryId;
    if (kind === 'edit') this.#edit(device, node);
    else if (kind === 'move') move(node, folder.entryId, action.name % 2 === 0 ? node.name : name);
    else if (kind === 'rename') move(node, parentId, name);
    else if (kind === 'remove') this.#remove(device, node.entryId);
    else if (kind === 'case') {
      const upper = node.name.toUpperCase();
      move(node, parentId, node.name === upper ? node.name.toLowerCase() : upper);
    } else if (kind === 'swap' || kind === 'rotate') {
      const others = [pick(action.second), kind === 'rotate' ? pick(action.name) : undefined];
      const ring = [node, ...others].filter((each) => each !== undefined);
      this.#rotate(device, ring);
    } else if (kind === 'touch' && node.kind === 'file') {
      disk.set({ ...node, modifiedAtUs: 1 + action.second });
    } else if (kind === 'chmod' && node.kind === 'file') {
      disk.set({ ...node, executable: !node.executable });
    } else if (kind === 'retype') {
      this.#remove(device, node.entryId);
      this.#make(device, parentId, node.name, node.kind === 'folder' ? 'file' : 'folder');
    }
  }

  /** Somebody says on the server what happens to conflicts in a folder. */
  setPolicy(folder: number, conflictPolicy: ConflictPolicy | null): void {
    const folders = this.server.tree
      .values()
      .filter((entry) => entry.kind === 'folder')
      .sort((a, b) => (a.entryId < b.entryId ? -1 : 1));
    const chosen = folders[folder % folders.length];
    if (chosen === undefined) return;
    const { conflictPolicy: _before, ...rest } = chosen;
    this.server.sequence++;
    const said = { ...rest, sequence: this.server.sequence };
    this.server.tree.set(conflictPolicy === null ? said : { ...said, conflictPolicy });
  }

  #rotate(device: ModelDevice, ring: readonly LocalNode[]): void {
    const { disk } = device;
    if (new Set(ring.map((node) => node.entryId)).size !== ring.length) return;
    if (ring.some((a) => ring.some((b) => a !== b && disk.isInside(a.entryId, b.entryId)))) return;
    for (const [index, node] of ring.entries()) {
      const next = ring[(index + 1) % ring.length] as LocalNode;
      disk.set({ ...node, parentId: next.parentId, name: next.name });
    }
  }

  #make(device: ModelDevice, parentId: EntryId, name: string, kind: 'file' | 'folder' | 'link'): void {
    const id = device.freshId();
    const value = kind === 'folder' ? null : this.newValue();
    device.disk.set(
      localOf(id, parentId, name, {
        kind,
        content: kind === 'file' ? contentOf(value as string) : null,
        target: kind === 'link' ? value : null,
        fingerprint: value ?? '',
      }),
    );
  }

  #edit(device: ModelDevice, node: LocalNode): void {
    if (node.kind === 'folder') return;
    this.#retire(node);
    const value = this.newValue();
    const content = node.kind === 'file' ? contentOf(value) : null;
    const target = node.kind === 'link' ? value : null;
    device.read.delete(node.entryId);
    device.disk.set({ ...node, content, target, fingerprint: value, modifiedAtUs: this.#value });
  }

  #remove(device: ModelDevice, id: EntryId): void {
    for (const each of device.disk.below(id).reverse()) {
      this.#retire(device.disk.get(each) as LocalNode);
      device.userRemoved.add(each);
      device.read.delete(each);
      device.disk.delete(each);
    }
  }

  #retire(node: LocalNode): void {
    if (node.content) this.retired.add(node.content.contentId);
    if (node.target) this.retired.add(node.target);
  }

  /** Plans and executes everything on every device until nothing is planned; `null`, or what went wrong. */
  converge(maxRounds: number, devices: readonly ModelDevice[] = this.devices): string | null {
    for (let round = 0; round < maxRounds; round++) {
      let quiet = true;
      for (const device of devices) {
        device.follow();
        const { trees, plan } = device.plan();
        if (plan.operations.length > 0) quiet = false;
        device.strict = true;
        device.execute(trees, plan.operations, () => true);
        device.strict = false;
      }
      if (quiet) return null;
    }
    const left = devices.map((device) => device.plan().plan.operations);
    return `no fixed point: ${JSON.stringify(left, null, 1)}`;
  }

  /** What a device says that it cannot have, with all that is below it on the server. */
  #notThere(device: ModelDevice): Set<EntryId> {
    if (device.options.reservedNames === undefined) return new Set();
    const { tree } = this.server;
    const tops = device.plan().plan.issues.map(({ entryId }) => entryId);
    for (const entry of tree.values())
      if (findReservedName(entry.name, device.options.reservedNames) !== null) tops.push(entry.entryId);
    return new Set(tops.flatMap((id) => (tree.get(id) === undefined ? [] : tree.below(id))));
  }

  /** What is wrong with a world at rest; empty when all is well. */
  problems(): string[] {
    const found = this.devices.flatMap((device) => device.problems);
    for (const device of this.devices) {
      const away = this.#notThere(device);
      const isThere = (node: { entryId: EntryId }) => !away.has(node.entryId);
      const want = describe(this.server.tree.values().filter(isThere).map(syncedOf));
      const have = describe(
        device.disk
          .values()
          .filter(isThere)
          .map((node) => ({
            ...node,
            contentId: node.content?.contentId ?? null,
          })),
      );
      if (have !== want) found.push(`disk ${device.name} differs:\n${have}\nserver:\n${want}`);
      if (describe(device.synced.values().filter(isThere)) !== want)
        found.push(`synced ${device.name} differs`);
    }
    const live = new Set(this.server.versions);
    for (const value of this.written) {
      if (!live.has(value) && !this.retired.has(value)) found.push(`lost ${value}`);
    }
    return found;
  }
}

function describe(
  nodes: readonly {
    entryId: string;
    parentId: string | null;
    name: string;
    contentId: string | null;
    target: string | null;
    kind: string;
    executable: boolean;
    modifiedAtUs: number;
  }[],
): string {
  return nodes
    .filter((node) => node.entryId !== ROOT)
    .map(
      (node) =>
        `${node.entryId} ${node.parentId}/${node.name.normalize('NFC')} ${node.kind} ${node.contentId} ${node.target}` +
        (node.kind === 'file' ? ` ${node.executable} ${node.modifiedAtUs}` : ''),
    )
    .sort()
    .join('\n');
}
