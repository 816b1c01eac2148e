import { type EntryId, foldName } from '@cairn/model';

/** Folders up to this size keep their children in a list and are searched; larger ones in a set, with an index. */
export const MAX_LISTED = 64;
/** Folders up to this size are searched for a name, larger ones indexed. */
const MAX_SEARCHED = 8;
/** Names in all indexes together; the index unused for longest goes first, the latest always stays. */
const MAX_INDEXED_NAMES = 50_000;

/** Which children every folder has, and who among them has a name. A child is an id, or a number that stands for one. */
export interface ChildIndex<Child> {
  children(parentId: EntryId): Child[];
  /** Children whose name folds to `foldedName`; the first question about a large folder indexes it. */
  named(parentId: EntryId, foldedName: string): Child[];
  add(parentId: EntryId | null, child: Child): void;
  /** Its name must still be known. */
  remove(parentId: EntryId | null, child: Child): void;
  clear(): void;
  /** Lets go of the indexes of names, which are made anew when somebody asks for a name. */
  forgetNames(): void;
}

/** @param nameOf name of a child that is added, is there or is removed */
export function createChildIndex<Child>(nameOf: (child: Child) => string): ChildIndex<Child> {
  // Lists where they are short: a set takes three times the memory.
  const childrenOf = new Map<EntryId, Child[] | Set<Child>>();
  const indexes = new Map<EntryId, Map<string, Child[]>>();
  let indexedNames = 0;
  /** The folder that was asked about last: it stands at the end of the indexes, if it has one. */
  let latest: EntryId | null = null;

  function forgetIndex(parentId: EntryId): void {
    const index = indexes.get(parentId);
    if (index === undefined) return;
    indexes.delete(parentId);
    indexedNames -= index.size;
  }

  function note(index: Map<string, Child[]>, child: Child, name: string): void {
    const folded = foldName(name);
    const holders = index.get(folded);
    if (holders === undefined) {
      index.set(folded, [child]);
      indexedNames++;
    } else {
      holders.push(child);
    }
  }

  function indexOf(parentId: EntryId, children: Iterable<Child>): Map<string, Child[]> {
    let index = indexes.get(parentId);
    // Who asks about one name of a folder mostly asks about others.
    if (index !== undefined && parentId === latest && indexedNames <= MAX_INDEXED_NAMES) return index;
    latest = parentId;
    if (index === undefined) {
      index = new Map();
      for (const child of children) note(index, child, nameOf(child));
    }
    indexes.delete(parentId);
    indexes.set(parentId, index);
    for (const oldest of indexes.keys()) {
      if (indexedNames <= MAX_INDEXED_NAMES || oldest === parentId) break;
      forgetIndex(oldest);
    }
    return index;
  }

  function forgetNames(): void {
    indexes.clear();
    indexedNames = 0;
    latest = null;
  }

  return {
    children(parentId) {
      const children = childrenOf.get(parentId);
      // A copy: callers put and delete while they go through it.
      return children === undefined ? [] : [...children];
    },
    named(parentId, foldedName) {
      const children = childrenOf.get(parentId);
      if (children === undefined) return [];
      const count = children instanceof Set ? children.size : children.length;
      if (children instanceof Set || count > MAX_SEARCHED)
        return indexOf(parentId, children).get(foldedName)?.slice() ?? [];
      return children.filter((child) => foldName(nameOf(child)) === foldedName);
    },
    add(parentId, child) {
      if (parentId === null) return;
      const children = childrenOf.get(parentId);
      if (children === undefined) childrenOf.set(parentId, [child]);
      else if (children instanceof Set) children.add(child);
      else if (children.push(child) > MAX_LISTED) childrenOf.set(parentId, new Set(children));
      const index = indexes.get(parentId);
      if (index !== undefined) note(index, child, nameOf(child));
    },
    remove(parentId, child) {
      if (parentId === null) return;
      const children = childrenOf.get(parentId);
      if (children === undefined) return;
      if (children instanceof Set) {
        children.delete(child);
        if (children.size === 0) childrenOf.delete(parentId);
      } else {
        const last = children.pop() as Child;
        if (last !== child) children[children.indexOf(child)] = last;
        if (children.length === 0) childrenOf.delete(parentId);
      }
      const index = indexes.get(parentId);
      if (index === undefined) return;
      const folded = foldName(nameOf(child));
      const rest = (index.get(folded) ?? []).filter((holder) => holder !== child);
      if (rest.length > 0) index.set(folded, rest);
      else if (index.delete(folded)) indexedNames--;
      if (!childrenOf.has(parentId)) forgetIndex(parentId);
    },
    clear() {
      childrenOf.clear();
      forgetNames();
    },
    forgetNames,
  };
}
