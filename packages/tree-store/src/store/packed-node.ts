import type { ConflictMark, ConflictPolicy, Entry, EntryId, EntryKind, VersionId } from '@cairn/model';
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
  /** Packed content. The synced tree needs the packed content id alone, which every packed content begins with. */
  content: string | null;
  readonly target: string | null;
  readonly versionId: VersionId | null;
  /** What only the local tree has, see `observationOf`; `null` in the others. */
  readonly observation: string | null;
  /** Marks of the remote or local node as JSON, `null` for most: see `packMarks`. */
  readonly marks: string | null;
}

/** What the three trees say of one entry. What says the same may be the same object. */
export interface StoredEntry {
  readonly remote: PackedNode | undefined;
  readonly local: PackedNode | undefined;
  readonly synced: PackedNode | undefined;
}

const KNOWN = 'k';
const OBSERVATION = /^([ku])(\d+) (\d+) /;

/** One string takes half of the memory of an object with two: state, size, length of the identity, both texts. */
export function observationOf(
  node: Pick<LocalNode, 'state' | 'sizeBytes' | 'identity' | 'fingerprint'>,
): string {
  const { state, sizeBytes, identity, fingerprint } = node;
  const start = state === 'known' ? KNOWN : 'u';
  // Not a template: joined strings are flat, templates stay trees of pieces.
  return [`${start}${sizeBytes}`, identity.length, identity + fingerprint].join(' ');
}

function unpackObservation(
  packed: string,
): Pick<LocalNode, 'state' | 'sizeBytes' | 'identity' | 'fingerprint'> {
  const found = OBSERVATION.exec(packed);
  if (found === null) throw new Error('a stored observation has an unknown format');
  const start = found[0].length;
  const end = start + Number(found[3]);
  return {
    state: found[1] === KNOWN ? 'known' : 'unknown',
    sizeBytes: Number(found[2]),
    identity: packed.slice(start, end),
    fingerprint: packed.slice(end),
  };
}

/** Whether a local node's content is that of what was observed. */
export function isKnown({ observation }: PackedNode): boolean {
  return observation?.startsWith(KNOWN) === true;
}

/** The identity in what `observationOf` gave. */
export function identityOf(observation: string): string {
  const lengthStart = observation.indexOf(' ') + 1;
  const start = observation.indexOf(' ', lengthStart) + 1;
  if (lengthStart === 0 || start === 0) throw new Error('a stored observation has an unknown format');
  return observation.slice(start, start + Number(observation.slice(lengthStart, start - 1)));
}

/** Whether a string from storage has the form of a packed observation. */
export function isObservation(packed: string): boolean {
  return OBSERVATION.test(packed);
}

/** What few nodes have: of which entry they are a conflict copy, or what happens to conflicts in a folder. */
interface Marks {
  readonly conflictOf?: ConflictMark;
  readonly conflictPolicy?: ConflictPolicy;
}

function packMarks({ conflictOf, conflictPolicy }: Marks): string | null {
  if (conflictOf === undefined && conflictPolicy === undefined) return null;
  return JSON.stringify({ conflictOf, conflictPolicy });
}

function unpackMarks(packed: string | null): Marks {
  return packed === null ? {} : (JSON.parse(packed) as Marks);
}

/** Whether a string from storage has the form of packed marks. */
export function areMarks(packed: string): boolean {
  try {
    const marks: unknown = JSON.parse(packed);
    return typeof marks === 'object' && marks !== null && !Array.isArray(marks);
  } catch {
    return false;
  }
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
      marks: packMarks(node),
    };
  },
  unpack(packed): Entry {
    const { entryId, parentId, name, sequence, versionId, modifiedAtUs } = packed;
    const marks = unpackMarks(packed.marks);
    if (packed.kind === 'folder') return { kind: 'folder', entryId, parentId, name, sequence, ...marks };
    if (versionId === null) throw new Error('a stored remote node has no version');
    if (packed.kind === 'link') {
      const target = packed.target ?? '';
      return { kind: 'link', entryId, parentId, name, sequence, versionId, target, modifiedAtUs, ...marks };
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
      ...marks,
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
      observation: observationOf(node),
      marks: packMarks(node),
    };
  },
  unpack(packed) {
    if (packed.observation === null) throw new Error('a stored local node has no observation');
    const observed = unpackObservation(packed.observation);
    return {
      entryId: packed.entryId,
      parentId: packed.parentId,
      name: packed.name,
      kind: packed.kind,
      identity: observed.identity,
      fingerprint: observed.fingerprint,
      sizeBytes: observed.sizeBytes,
      executable: packed.executable,
      modifiedAtUs: packed.modifiedAtUs,
      content: packed.content === null ? null : unpackContent(packed.content),
      target: packed.target,
      state: observed.state,
      ...unpackMarks(packed.marks),
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
      marks: null,
    };
  },
  unpack(packed) {
    return {
      entryId: packed.entryId,
      parentId: packed.parentId,
      name: packed.name,
      kind: packed.kind,
      sequence: packed.sequence,
      contentId: packed.content === null ? null : unpackId(packedIdOf(packed.content)),
      target: packed.target,
      executable: packed.executable,
      modifiedAtUs: packed.modifiedAtUs,
    };
  },
};

function haveSameId(one: string | null, other: string | null): boolean {
  if (one === other) return true;
  return one !== null && other !== null && packedIdOf(one) === packedIdOf(other);
}

/** Whether a synced node says the same as a remote one, so that both trees may hold the remote tree's object. */
export function coversSynced(remote: PackedNode, synced: PackedNode): boolean {
  return (
    remote.parentId === synced.parentId &&
    remote.name === synced.name &&
    remote.kind === synced.kind &&
    remote.sequence === synced.sequence &&
    remote.executable === synced.executable &&
    remote.modifiedAtUs === synced.modifiedAtUs &&
    remote.target === synced.target &&
    haveSameId(remote.content, synced.content)
  );
}

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
  if (!isKnown(local) || remote.sequence !== synced.sequence) return true;
  for (const other of [remote, local]) {
    if (other.parentId !== synced.parentId || other.name !== synced.name || other.kind !== synced.kind) {
      return true;
    }
    if (other.target !== synced.target || other.executable !== synced.executable) return true;
    if (synced.kind === 'file') {
      if (!haveSameId(other.content, synced.content)) return true;
      if (other.modifiedAtUs !== synced.modifiedAtUs) return true;
    }
  }
  return false;
}
