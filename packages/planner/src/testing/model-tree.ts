import type { EntryId } from '@cairn/model';
import type { TreeReader } from '../trees.ts';

interface Child {
  readonly entryId: EntryId;
  readonly parentId: EntryId | null;
}

/** A tree in memory for tests. */
export class ModelTree<Node extends Child> implements TreeReader<Node> {
  readonly #nodes = new Map<EntryId, Node>();
  readonly #children = new Map<EntryId, Set<EntryId>>();

  constructor(nodes: Iterable<Node> = []) {
    for (const node of nodes) this.set(node);
  }
  get size(): number {
    return this.#nodes.size;
  }
  get(id: EntryId): Node | undefined {
    return this.#nodes.get(id);
  }
  children(parentId: EntryId): EntryId[] {
    return [...(this.#children.get(parentId) ?? [])];
  }
  values(): Node[] {
    return [...this.#nodes.values()];
  }
  set(node: Node): void {
    this.delete(node.entryId);
    this.#nodes.set(node.entryId, node);
    if (node.parentId === null) return;
    const siblings = this.#children.get(node.parentId);
    if (siblings === undefined) this.#children.set(node.parentId, new Set([node.entryId]));
    else siblings.add(node.entryId);
  }
  delete(id: EntryId): void {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    this.#nodes.delete(id);
    if (node.parentId !== null) this.#children.get(node.parentId)?.delete(id);
  }
  /** The entry and everything below it, parents first. */
  below(id: EntryId): EntryId[] {
    const found = [id];
    for (let index = 0; index < found.length; index++) found.push(...this.children(found[index] as EntryId));
    return found;
  }
  isInside(id: EntryId, folderId: EntryId): boolean {
    for (let at: EntryId | null = id; at !== null; at = this.get(at)?.parentId ?? null) {
      if (at === folderId) return true;
    }
    return false;
  }
}
