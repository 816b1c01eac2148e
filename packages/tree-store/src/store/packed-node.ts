import type { Entry, EntryId, EntryKind, VersionId } from '@cairn/model';
import type { LocalNode, RemoteNode, SyncedNode } from '@cairn/planner';
import { packContent, packedIdOf, packId, unpackContent, unpackId } from './packed-content.ts';

/**
 * How all three trees keep a node in memory: one shape for all (so that access stays fast), contents packed,
 * strings shared between the trees. A tree of 100,000 files would otherwise take several times the memory.
 */
export interface PackedNode {
  entryId: EntryId;
  parentId: EntryId | null;
  name: string;
  readonly kind: EntryKind;
  readonly sequence: number;
  readonly executable: boolean;
  readonly modifiedAtUs: number;
  /** Packed content; in the synced tree the packed content id alone. */
  content: string | null;
  readonly target: string | null;
  readonly versionId: VersionId | null;
  /** What only the local tree has; `null` in the others. */
  readonly observation: Observation | null;
  /** Place in the parent's list of children. */
  slot: number;
}

export interface Observation {
  readonly identity: string;
  readonly fingerprint: string;
  readonly sizeBytes: number;
  readonly state: 'known' | 'unknown';
}

export interface NodeCodec<Node> {
  pack(node: Node): PackedNode;
  unpack(packed: PackedNode): Node;
}

export const remoteCodec: NodeCodec<RemoteNode> = {
  pack(node) {
    return {
      entryId: node.entryId,
      parentId: node.parentId,
      name: node.name,
      kind: node.kind,
      sequence: node.sequence,
      executable: node.kind === 'file' && node.executable,
      modifiedAtUs: node.kind === 'folder' ? 0 : node.modifiedAtUs,
      content: node.kind === 'file' ? packContent(node.content) : null,
      target: node.kind === 'link' ? node.target : null,
      versionId: node.kind === 'folder' ? null : node.versionId,
      observation: null,
      slot: -1,
    };
  },
  unpack(packed): Entry {
    const { entryId, parentId, name, sequence, versionId, modifiedAtUs } = packed;
    if (packed.kind === 'folder') return { kind: 'folder', entryId, parentId, name, sequence };
    if (versionId === null) throw new Error('a stored remote node has no version');
    if (packed.kind === 'link') {
      const target = packed.target ?? '';
      return { kind: 'link', entryId, parentId, name, sequence, versionId, target, modifiedAtUs };
    }
    if (packed.content === null) throw new Error('a stored remote file has no content');
    return {
      kind: 'file',
      entryId,
      parentId,
      name,
      sequence,
      versionId,
      content: unpackContent(packed.content),
      executable: packed.executable,
      modifiedAtUs,
    };
  },
};

export const localCodec: NodeCodec<LocalNode> = {
  pack(node) {
    return {
      entryId: node.entryId,
      parentId: node.parentId,
      name: node.name,
      kind: node.kind,
      sequence: 0,
      executable: node.executable,
      modifiedAtUs: node.modifiedAtUs,
      content: node.content === null ? null : packContent(node.content),
      target: node.target,
      versionId: null,
      observation: {
        identity: node.identity,
        fingerprint: node.fingerprint,
        sizeBytes: node.sizeBytes,
        state: node.state,
      },
      slot: -1,
    };
  },
  unpack(packed) {
    if (packed.observation === null) throw new Error('a stored local node has no observation');
    return {
      entryId: packed.entryId,
      parentId: packed.parentId,
      name: packed.name,
      kind: packed.kind,
      identity: packed.observation.identity,
      fingerprint: packed.observation.fingerprint,
      sizeBytes: packed.observation.sizeBytes,
      executable: packed.executable,
      modifiedAtUs: packed.modifiedAtUs,
      content: packed.content === null ? null : unpackContent(packed.content),
      target: packed.target,
      state: packed.observation.state,
    };
  },
};

export const syncedCodec: NodeCodec<SyncedNode> = {
  pack(node) {
    return {
      entryId: node.entryId,
      parentId: node.parentId,
      name: node.name,
      kind: node.kind,
      sequence: node.sequence,
      executable: node.executable,
      modifiedAtUs: node.modifiedAtUs,
      content: node.contentId === null ? null : packId(node.contentId),
      target: node.target,
      versionId: null,
      observation: null,
      slot: -1,
    };
  },
  unpack(packed) {
    return {
      entryId: packed.entryId,
      parentId: packed.parentId,
      name: packed.name,
      kind: packed.kind,
      sequence: packed.sequence,
      contentId: packed.content === null ? null : unpackId(packed.content),
      target: packed.target,
      executable: packed.executable,
      modifiedAtUs: packed.modifiedAtUs,
    };
  },
};

/**
 * Whether the three trees say different things about an entry. Cheap and cautious: what it takes for different
 * is looked at again by the planner, so times that a disk rounds only cost that look.
 */
export function differ(
  remote: PackedNode | undefined,
  local: PackedNode | undefined,
  synced: PackedNode | undefined,
): boolean {
  if (remote === undefined || local === undefined || synced === undefined) return true;
  if (local.observation?.state !== 'known' || remote.sequence !== synced.sequence) return true;
  for (const other of [remote, local]) {
    if (other.parentId !== synced.parentId || other.name !== synced.name || other.kind !== synced.kind) {
      return true;
    }
    if (other.target !== synced.target || other.executable !== synced.executable) return true;
    if (synced.kind === 'file') {
      if (other.content === null || packedIdOf(other.content) !== synced.content) return true;
      if (other.modifiedAtUs !== synced.modifiedAtUs) return true;
    }
  }
  return false;
}
