import { type Cursor, type Epoch, foldName } from '@cairn/model';
import type { LocalNode, RemoteNode, SyncedNode } from '@cairn/planner';
import fc from 'fast-check';
import { expect } from 'vitest';
import { localNode, remoteNode, type Shape, syncedNode, testEntryId } from './contract-fixture.ts';
import type { NodeSketch, TreeStore } from './tree-store.ts';

export const treeNames = ['remote', 'local', 'synced'] as const;
type TreeName = (typeof treeNames)[number];
export type Snapshot = Record<TreeName, Map<string, unknown>> & {
  cursor: Cursor | null;
  value: string | null;
};

const NAMES = ['a', 'A', 'ä', '日本', '🌍.txt', 'new\nline'] as const;
const shapes: fc.Arbitrary<Shape> = fc.record({
  id: fc.integer({ min: 1, max: 8 }),
  parent: fc.integer({ min: 0, max: 8 }),
  name: fc.constantFrom(...NAMES),
  kind: fc.constantFrom('folder', 'file', 'link'),
  content: fc.integer({ min: 0, max: 9 }),
  executable: fc.boolean(),
});
export const steps = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant('put'), tree: fc.constantFrom(...treeNames), shape: shapes }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('agree'), tree: fc.constantFrom(...treeNames), shape: shapes }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('delete'), tree: fc.constantFrom(...treeNames), shape: shapes }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('clear'), tree: fc.constantFrom(...treeNames), shape: shapes }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('cursor'), tree: fc.constantFrom(...treeNames), shape: shapes }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('flush'), tree: fc.constantFrom(...treeNames), shape: shapes }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('reopen'), tree: fc.constantFrom(...treeNames), shape: shapes }),
  },
);

export function nodeFor(tree: TreeName, shape: Shape): RemoteNode | LocalNode | SyncedNode {
  return tree === 'remote' ? remoteNode(shape) : tree === 'local' ? localNode(shape) : syncedNode(shape);
}

/** What a tree says of an entry once all is done: a known file with its content, or a folder, and no marks. */
export function agreeingNode(tree: TreeName, shape: Shape): RemoteNode | LocalNode | SyncedNode {
  const own = { ...shape, content: shape.content % 2 === 0 ? 1 : 7 };
  if (own.kind === 'file') return nodeFor(tree, own);
  const { entryId, parentId, name, kind } = syncedNode({ ...own, kind: 'folder' });
  const folder = { entryId, parentId, name, sequence: 3 };
  if (tree === 'remote') return { ...folder, kind: 'folder' };
  if (tree === 'local')
    return {
      ...localNode({ ...own, kind: 'folder' }),
      identity: `65024:${own.id}:1700000000000000123`,
      fingerprint: '',
      modifiedAtUs: 0,
    };
  return { ...folder, kind, contentId: null, target: null, executable: false, modifiedAtUs: 0 };
}

export type Step = typeof steps extends fc.Arbitrary<infer Value> ? Value : never;

/** Does to the store and to the model what a step that is no flush says. */
export function change(store: TreeStore, model: Snapshot, step: Step): void {
  const entryId = testEntryId(step.shape.id);
  switch (step.do) {
    case 'put': {
      const node = nodeFor(step.tree, step.shape);
      store[step.tree].put(node as never);
      model[step.tree].set(entryId, node);
      return;
    }
    case 'agree':
      for (const name of treeNames) {
        const node = agreeingNode(name, step.shape);
        store[name].put(node as never);
        model[name].set(entryId, node);
      }
      return;
    case 'delete':
      store[step.tree].delete(entryId);
      model[step.tree].delete(entryId);
      return;
    case 'clear':
      store[step.tree].clear();
      model[step.tree].clear();
      return;
    case 'cursor': {
      const sequence = step.shape.content;
      model.cursor =
        sequence === 0 ? null : { epoch: 'e'.repeat(26) as Epoch, sequence, hash: 'f'.repeat(16) };
      model.value = sequence % 2 === 0 ? null : `v${sequence}`;
      store.cursor = model.cursor;
      store.setValue('n', model.value);
    }
  }
}

export function emptySnapshot(): Snapshot {
  return { remote: new Map(), local: new Map(), synced: new Map(), cursor: null, value: null };
}

export function copy(state: Snapshot): Snapshot {
  return {
    ...state,
    remote: new Map(state.remote),
    local: new Map(state.local),
    synced: new Map(state.synced),
  };
}

function asText(sketch: NodeSketch | undefined): string {
  return JSON.stringify([
    sketch?.entryId,
    sketch?.parentId,
    sketch?.name,
    sketch?.kind,
    sketch?.observation,
    sketch?.content,
  ]);
}

export function expectEqual(store: TreeStore, model: Snapshot): void {
  for (const name of treeNames) {
    const tree = store[name];
    expect(tree.size).toBe(model[name].size);
    expect(new Map([...tree.values()].map((node) => [node.entryId as string, node]))).toEqual(model[name]);
    for (let id = 0; id <= 8; id++) {
      const parentId = testEntryId(id);
      const children = [...model[name].values()]
        .filter((node) => (node as SyncedNode).parentId === parentId)
        .map((node) => (node as SyncedNode).entryId);
      expect([...tree.children(parentId)].sort()).toEqual(children.sort());
      expect(tree.get(parentId)).toEqual(model[name].get(parentId));
      if (name === 'local') {
        const sketched = store.local.childSketches(parentId).map(asText).sort();
        expect(sketched).toEqual(children.map((child) => asText(store.local.sketch(child))).sort());
      }
      for (const folded of new Set(NAMES.map(foldName))) {
        const named = children.filter(
          (child) => foldName((model[name].get(child) as SyncedNode).name) === folded,
        );
        expect([...(tree.childrenNamed?.(parentId, folded) ?? named)].sort()).toEqual(named.sort());
      }
    }
  }
  const differing = new Set(store.differing());
  for (let id = 0; id <= 8; id++) {
    const has = treeNames.filter((name) => model[name].has(testEntryId(id)));
    if (has.length === 1 || has.length === 2) expect(differing).toContain(testEntryId(id));
    if (has.length === 0) expect(differing).not.toContain(testEntryId(id));
  }
  expect(store.cursor).toEqual(model.cursor);
  expect(store.getValue('n')).toBe(model.value);
}
