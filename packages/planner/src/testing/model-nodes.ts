import type { Entry, EntryId, FileContent, VersionId } from '@cairn/model';
import type { LocalNode, SyncedNode } from '../trees.ts';

/** Nodes of the three trees, made from little. */
export const ROOT = 'root' as EntryId;

export function contentOf(value: string): FileContent {
  return { contentId: value as never, sizeBytes: 1, manifest: { profile: 't32-64k', depth: 0, parts: [] } };
}

export function localOf(id: EntryId, parentId: EntryId, name: string, entry: Partial<LocalNode>): LocalNode {
  return {
    entryId: id,
    parentId,
    name,
    kind: 'folder',
    identity: id,
    fingerprint: '',
    sizeBytes: 1,
    executable: false,
    modifiedAtUs: 0,
    content: null,
    target: null,
    state: 'known',
    ...entry,
  };
}

export function syncedOf(entry: Entry): SyncedNode {
  return {
    entryId: entry.entryId,
    parentId: entry.parentId,
    name: entry.name,
    kind: entry.kind,
    sequence: entry.sequence,
    contentId: entry.kind === 'file' ? entry.content.contentId : null,
    target: entry.kind === 'link' ? entry.target : null,
    executable: entry.kind === 'file' ? entry.executable : false,
    modifiedAtUs: entry.kind === 'file' ? entry.modifiedAtUs : 0,
  };
}

export function entryOf(node: LocalNode): Entry {
  const common = { entryId: node.entryId, parentId: node.parentId, name: node.name, sequence: 0 };
  const { modifiedAtUs, executable } = node;
  const mark = node.conflictOf === undefined ? {} : { conflictOf: node.conflictOf };
  const versionId = '0' as VersionId;
  if (node.kind === 'folder') return { ...common, kind: 'folder' };
  if (node.kind === 'link') {
    return { ...common, kind: 'link', versionId, target: node.target ?? '', modifiedAtUs, ...mark };
  }
  if (node.content === null) throw new Error('a create of a file with unknown content was planned');
  return { ...common, kind: 'file', versionId, content: node.content, executable, modifiedAtUs, ...mark };
}
