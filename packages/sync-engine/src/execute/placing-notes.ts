import type { ContentId, EntryId } from '@cairn/model';
import type { SyncedNode } from '@cairn/planner';
import type { TreeStore } from '@cairn/tree-store';
import type { LocalTree } from '../local-tree.ts';

/** Each group of files that is being placed has a value of its own in the tree store. */
const SLOTS = 64;
const slotName = (slot: number): string => `placing.${slot}`;
/** What a process before this one was placing when it ended. */
const BEFORE_VALUE = 'placedBefore';
/** Only what a few moments brought can be in doubt. */
const MAX_BEFORE = 4096;
const NOTHING = { text: null, nodes: new Map<string, SyncedNode>() } as const;
/** Disks keep times to two seconds at worst. */
const COARSEST_US = 2_000_000;

/**
 * Notes, durably, what is about to be placed. A process that ends after a file got its name and before that was noted
 * leaves bytes that nobody here wrote: if the entry is changed on the server before the next start, they would be
 * taken for the user's own and kept as a conflict copy.
 */
export class PlacingNotes {
  readonly #trees: TreeStore;
  readonly #free: number[] = Array.from({ length: SLOTS }, (_, index) => SLOTS - 1 - index);
  readonly #ended = new Set<number>();
  #before: { readonly text: string | null; readonly nodes: ReadonlyMap<string, SyncedNode> } = NOTHING;

  constructor(trees: TreeStore) {
    this.#trees = trees;
    const nodes = valueNames().flatMap((name) => parse(trees.getValue(name)));
    forgetNotes(trees);
    if (nodes.length > 0) trees.setValue(BEFORE_VALUE, JSON.stringify(nodes.slice(-MAX_BEFORE)));
  }

  /** To be called before the first of these gets its name, with what will be agreed then. Returns what `end` takes. */
  begin(nodes: readonly SyncedNode[]): number | null {
    const slot = nodes.length === 0 ? undefined : this.#free.pop();
    // More groups than one flush of the trees should ever wait for; without a note all is as if there was no such thing.
    if (slot === undefined) return null;
    this.#trees.setValue(slotName(slot), JSON.stringify(nodes));
    try {
      this.#trees.flushValues();
    } catch (error) {
      this.#ended.add(slot);
      throw error;
    }
    return slot;
  }

  /** The files have their names, or have failed. */
  end(slot: number | null): void {
    if (slot !== null) this.#ended.add(slot);
  }

  /** What was placed is durable with the flush that follows. */
  settle(): void {
    for (const slot of this.#ended) {
      this.#trees.setValue(slotName(slot), null);
      this.#free.push(slot);
    }
    this.#ended.clear();
  }

  /** Nothing from before this process is in doubt any more. */
  forgetBefore(): void {
    if (this.#trees.getValue(BEFORE_VALUE) !== null) this.#trees.setValue(BEFORE_VALUE, null);
  }

  /** What an earlier process was placing there with that content. */
  find(parentId: EntryId | null, name: string, contentId: ContentId): SyncedNode | undefined {
    const text = this.#trees.getValue(BEFORE_VALUE);
    if (text !== this.#before.text)
      this.#before = { text, nodes: new Map(parse(text).map((node) => [keyOf(node), node])) };
    return this.#before.nodes.get(keyOf({ parentId, name, contentId }));
  }
}

/**
 * What was agreed proves nothing any more: the history is another one, or the folder or the database is of another
 * time. Nor does what was about to be agreed.
 */
export function forgetAgreements(trees: TreeStore): void {
  trees.synced.clear();
  forgetNotes(trees);
}

function forgetNotes(trees: TreeStore): void {
  for (const name of valueNames()) if (trees.getValue(name) !== null) trees.setValue(name, null);
}

function valueNames(): string[] {
  return [BEFORE_VALUE, ...Array.from({ length: SLOTS }, (_, slot) => slotName(slot))];
}

/** A file that was just read may be what an earlier process placed: then it is what was agreed, not the user's edit. */
export function recognisePlaced(
  deps: { readonly trees: TreeStore; readonly local: LocalTree; readonly placing: PlacingNotes },
  entryId: EntryId,
): void {
  const { trees, local, placing } = deps;
  const node = local.get(entryId);
  if (node?.kind !== 'file' || node.content === null) return;
  const placed = placing.find(node.parentId, node.name, node.content.contentId);
  // What the server has no more is kept: somebody may have made it anew.
  if (placed === undefined || trees.remote.get(placed.entryId) === undefined) return;
  const id = placed.entryId;
  const agreed = trees.synced.get(id);
  if (agreed !== undefined && agreed.sequence >= placed.sequence) return;
  if (id !== entryId) {
    const isNew = trees.remote.get(entryId) === undefined && trees.synced.get(entryId) === undefined;
    if (!isNew || local.get(id) !== undefined) return;
    local.rename(entryId, id);
  }
  const isItsTime = Math.abs(node.modifiedAtUs - placed.modifiedAtUs) <= COARSEST_US;
  if (isItsTime) local.put({ ...node, entryId: id, modifiedAtUs: placed.modifiedAtUs });
  trees.synced.put(placed);
}

function keyOf({ parentId, name, contentId }: Pick<SyncedNode, 'parentId' | 'name' | 'contentId'>): string {
  return `${parentId}/${name.normalize('NFC')}/${contentId}`;
}

function parse(text: string | null): readonly SyncedNode[] {
  return text === null ? [] : (JSON.parse(text) as SyncedNode[]);
}
