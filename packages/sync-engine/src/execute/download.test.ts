import {
  type ContentId,
  createId,
  type EntryId,
  type FileContent,
  type FileEntry,
  type VersionId,
} from '@cairn/model';
import type { LocalNode } from '@cairn/planner';
import { createMemoryTreeStore } from '@cairn/tree-store';
import { expect, it } from 'vitest';
import { LocalTree } from '../local-tree.ts';
import type { DownloadDeps } from './deps.ts';
import { prepareDownload } from './download.ts';

const id = <Id>(byte: number) => createId(new Uint8Array(16).fill(byte)) as Id;
const rootId = id<EntryId>(1);
const entryId = id<EntryId>(2);
const contentOf = (letter: string): FileContent => ({
  contentId: `01${letter.repeat(64)}` as ContentId,
  sizeBytes: 0,
  manifest: { profile: 't32-64k', depth: 0, parts: [] },
});

const place = {
  entryId,
  parentId: rootId,
  name: 'f',
  kind: 'file',
  executable: false,
  modifiedAtUs: 1,
} as const;
const entry: FileEntry = { ...place, sequence: 2, versionId: id<VersionId>(3), content: contentOf('a') };
const node: LocalNode = {
  ...place,
  identity: 'identity',
  fingerprint: 'fingerprint',
  sizeBytes: 0,
  target: null,
  content: contentOf('b'),
  state: 'known',
};

function prepare(local: LocalNode) {
  const trees = createMemoryTreeStore(rootId);
  const known = new LocalTree(trees.local, rootId);
  trees.remote.put(entry);
  known.put(local);
  const deps = { trees, local: known, isIgnored: () => false } as unknown as DownloadDeps;
  return prepareDownload(deps, { entryId, replace: true });
}

it('replaces a file whose bytes were read as they are', () => {
  expect(prepare(node)).toMatchObject({ path: 'f', expected: { fingerprint: 'fingerprint' } });
});

it('replaces none that was written to since, as while the engine moved it, and that nobody has read [S-1 S-2]', () => {
  expect(prepare({ ...node, content: null })).toBeNull();
});
