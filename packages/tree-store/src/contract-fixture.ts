import type { BlockId, ConflictMark, ContentId, EntryId, FileContent, VersionId } from '@cairn/model';
import type { LocalNode, RemoteNode, SyncedNode } from '@cairn/planner';

export const ROOT_ID = 'a'.repeat(26) as EntryId;

/** Small numbers as ids, so that histories meet the same entries again. */
export function testEntryId(number: number): EntryId {
  return number === 0 ? ROOT_ID : (`${number}`.padStart(26, 'b') as EntryId);
}

export function testContent(number: number, partCount = 1): FileContent {
  const hex = (salt: number): string => `01${(number * 1000 + salt).toString(16).padStart(64, '0')}`;
  return {
    contentId: hex(999).replace(/^01/, '03') as ContentId,
    sizeBytes: 5_000_000_000 + number,
    manifest: {
      profile: 't32-256k',
      depth: 0,
      parts: Array.from({ length: partCount }, (_, index) => ({
        block: hex(index) as BlockId,
        sizeBytes: 70_000 + index,
      })),
    },
  };
}

export interface Shape {
  readonly id: number;
  readonly parent: number;
  readonly name: string;
  readonly kind: 'folder' | 'file' | 'link';
  readonly content: number;
  readonly executable: boolean;
}

/** Some nodes are conflict copies. */
function markOf({ id, content }: Shape): { conflictOf?: ConflictMark } {
  if (content % 4 !== 2) return {};
  const baseSequence = content % 8 === 2 ? content : null;
  return { conflictOf: { entryId: testEntryId(id + 1), baseSequence, deviceName: 'Ünï "x"', at: content } };
}

export function remoteNode(shape: Shape): RemoteNode {
  const common = {
    entryId: testEntryId(shape.id),
    parentId: testEntryId(shape.parent),
    name: shape.name,
    sequence: shape.content + 1,
  };
  if (shape.kind === 'folder') {
    return shape.content % 4 === 1
      ? { ...common, kind: 'folder', conflictPolicy: 'last-write-wins' }
      : { ...common, kind: 'folder' };
  }
  const mark = markOf(shape);
  const versionId = `${shape.content}`.padStart(26, 'v') as VersionId;
  const modifiedAtUs = 1_700_000_000_000_123 + shape.content;
  if (shape.kind === 'link')
    return { ...common, kind: 'link', versionId, target: '../ö', modifiedAtUs, ...mark };
  const { executable } = shape;
  return {
    ...common,
    kind: 'file',
    versionId,
    content: testContent(shape.content, 2),
    executable,
    modifiedAtUs,
    ...mark,
  };
}

export function localNode(shape: Shape): LocalNode {
  return {
    entryId: testEntryId(shape.id),
    parentId: testEntryId(shape.parent),
    name: shape.name,
    kind: shape.kind,
    identity: `1:${shape.id}`,
    fingerprint: `f${shape.content}`,
    sizeBytes: shape.content,
    executable: shape.kind === 'file' && shape.executable,
    modifiedAtUs: 1_700_000_000_000_123 + shape.content,
    content: shape.kind === 'file' && shape.content % 3 !== 0 ? testContent(shape.content, 2) : null,
    target: shape.kind === 'link' ? '../ö' : null,
    state: shape.content % 5 === 4 ? 'unknown' : 'known',
    ...markOf(shape),
  };
}

export function syncedNode(shape: Shape): SyncedNode {
  return {
    entryId: testEntryId(shape.id),
    parentId: testEntryId(shape.parent),
    name: shape.name,
    kind: shape.kind,
    sequence: shape.content + 1,
    contentId: shape.kind === 'file' ? testContent(shape.content).contentId : null,
    target: shape.kind === 'link' ? '../ö' : null,
    executable: shape.kind === 'file' && shape.executable,
    modifiedAtUs: 1_700_000_000_000_123 + shape.content,
  };
}
