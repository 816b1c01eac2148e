import type { ContentId, EntryId } from '@cairn/model';
import type { LocalNode, RemoteNode, SyncedNode } from './trees.ts';

/**
 * How two nodes of one entry differ. The three node types share the fields that matter; content is compared by
 * id, and a local file whose bytes nobody has read yet has none.
 */

interface Placed {
  readonly parentId: EntryId | null;
  readonly name: string;
}

export type AnyNode = RemoteNode | LocalNode | SyncedNode;

/** Whether both names are the same on this disk; see PlanOptions.foldsNames. */
export function sameName(first: string, second: string, foldsNames: boolean): boolean {
  return first === second || (foldsNames && first.normalize('NFC') === second.normalize('NFC'));
}

export function samePlace(first: Placed, second: Placed, foldsNames: boolean): boolean {
  return first.parentId === second.parentId && sameName(first.name, second.name, foldsNames);
}

/** Id of a file's content; `null`: unknown (or not a file). */
export function contentIdOf(node: AnyNode): ContentId | null {
  if (node.kind !== 'file') return null;
  return 'content' in node ? (node.content?.contentId ?? null) : node.contentId;
}

function targetOf(node: AnyNode): string | null {
  return node.kind === 'link' ? (node.target ?? null) : null;
}

/** Whether two nodes of the same kind hold the same; `unknown` when a file's bytes have not been read. */
export function compareContents(first: AnyNode, second: AnyNode): 'same' | 'different' | 'unknown' {
  if (first.kind !== second.kind) return 'different';
  if (first.kind === 'folder') return 'same';
  if (first.kind === 'link') return targetOf(first) === targetOf(second) ? 'same' : 'different';
  const firstId = contentIdOf(first);
  const secondId = contentIdOf(second);
  if (firstId === null || secondId === null) return 'unknown';
  return firstId === secondId ? 'same' : 'different';
}

export interface Attributes {
  readonly executable: boolean;
  readonly modifiedAtUs: number;
}

/** Executable bit and modification time of a file; `null` for what has none that are synced. */
export function attributesOf(node: AnyNode | undefined): Attributes | null {
  if (node === undefined || node.kind !== 'file') return null;
  return node as Attributes;
}

export function sameAttributes(first: AnyNode, second: AnyNode): boolean {
  const one = attributesOf(first);
  const other = attributesOf(second);
  if (one === null || other === null) return true;
  return one.executable === other.executable && one.modifiedAtUs === other.modifiedAtUs;
}

/**
 * Which way attributes must flow, field by field; the remote wins where both sides changed one.
 * `push`: some field changed only here. `pull`: some field must change here.
 */
export function compareAttributes(
  remote: RemoteNode,
  local: LocalNode,
  synced: SyncedNode | undefined,
): { readonly push: boolean; readonly pull: boolean } {
  const server = attributesOf(remote);
  const disk = attributesOf(local);
  const base = attributesOf(synced);
  let push = false;
  let pull = false;
  if (server === null || disk === null) return { push, pull };
  for (const field of ['executable', 'modifiedAtUs'] as const) {
    if (server[field] === disk[field]) continue;
    if (base !== null && server[field] === base[field]) push = true;
    else pull = true;
  }
  return { push, pull };
}
