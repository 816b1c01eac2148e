import type { EntryId } from '@cairn/model';
import { expect } from 'vitest';
import type { LocalNode } from '../trees.ts';
import type { ModelDevice } from './model-device.ts';
import { contentOf, localOf, ROOT } from './model-nodes.ts';
import { ModelWorld } from './model-world.ts';

/** Contents by path; folders end in `/` and are listed only when empty. */
export type Files = Record<string, string>;

/** The node at a path of a device's disk. */
export function find(device: ModelDevice, path: string): LocalNode {
  let at = device.disk.get(ROOT) as LocalNode;
  for (const name of path.split('/').filter((part) => part !== '')) {
    const next = device.disk.children(at.entryId).find((id) => device.disk.get(id)?.name === name);
    if (next === undefined) throw new Error(`${device.name} has no ${path}`);
    at = device.disk.get(next) as LocalNode;
  }
  return at;
}

function split(path: string): [parent: string, name: string] {
  const clean = path.replace(/\/$/, '');
  const slash = clean.lastIndexOf('/');
  return [clean.slice(0, Math.max(0, slash)), clean.slice(slash + 1)];
}

/** What a user does to one device's disk. */
export class Hands {
  readonly device: ModelDevice;
  constructor(device: ModelDevice) {
    this.device = device;
  }
  make(path: string, value = ''): void {
    const [parent, name] = split(path);
    const folder = path.endsWith('/');
    this.device.disk.set(
      localOf(this.device.freshId(), find(this.device, parent).entryId, name, {
        kind: folder ? 'folder' : 'file',
        content: folder ? null : contentOf(value),
        fingerprint: value,
      }),
    );
  }
  edit(path: string, value: string): void {
    const node = find(this.device, path);
    this.device.read.delete(node.entryId);
    this.device.disk.set({ ...node, content: contentOf(value), fingerprint: value });
  }
  move(from: string, to: string): void {
    const node = find(this.device, from);
    const [parent, name] = split(to);
    this.device.disk.set({ ...node, parentId: find(this.device, parent).entryId, name });
  }
  remove(path: string): void {
    for (const id of this.device.disk.below(find(this.device, path).entryId).reverse()) {
      this.device.disk.delete(id);
      this.device.read.delete(id);
      this.device.userRemoved.add(id);
    }
  }
  touch(path: string, modifiedAtUs: number): void {
    this.device.disk.set({ ...find(this.device, path), modifiedAtUs });
  }
  files(): Files {
    const found: Files = {};
    const walk = (id: EntryId, prefix: string) => {
      for (const child of this.device.disk.children(id)) {
        const node = this.device.disk.get(child) as LocalNode;
        const path = `${prefix}${node.name}`;
        if (node.kind === 'folder') {
          if (this.device.disk.children(child).length === 0) found[`${path}/`] = '';
          walk(child, `${path}/`);
        } else found[path] = node.content?.contentId ?? node.target ?? '';
      }
    };
    walk(ROOT, '');
    return found;
  }
}

/** Two devices in sync with these files. */
export function start(files: Files, folds: readonly boolean[] = [false, false]): [ModelWorld, Hands, Hands] {
  const world = new ModelWorld(folds);
  const hands = world.devices.map((device) => new Hands(device)) as [Hands, Hands];
  for (const [path, value] of Object.entries(files)) {
    const parts = path.replace(/\/$/, '').split('/');
    for (let index = 1; index < parts.length; index++) {
      const folder = parts.slice(0, index).join('/');
      try {
        find(hands[0].device, folder);
      } catch {
        hands[0].make(`${folder}/`);
      }
    }
    hands[0].make(path, value);
  }
  expect(world.converge(20)).toBeNull();
  return [world, ...hands];
}
