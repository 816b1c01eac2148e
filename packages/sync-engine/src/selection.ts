import { CairnError, type EntryId, foldName } from '@cairn/model';
import type { Trees } from '@cairn/planner';
import type { TreeStore } from '@cairn/tree-store';
import { joinPath, parentPath, pathIn } from './local-tree.ts';
import { IGNORE_FILE } from './observe/ignore-rules.ts';

const VALUE_NAME = 'selection';
/** A selection is made by hand; a list longer than this was not. */
const MAX_MARKS = 10_000;

/** What to change about what a device holds. Paths are relative to the synced folder, `/` between names. */
export interface SelectionRequest {
  /** From now on these and nothing else; an empty path means everything. */
  readonly only?: readonly string[];
  readonly exclude?: readonly string[];
  readonly include?: readonly string[];
}

/** One decision of the user: this place, with what is below it, is held by this device or not. */
export interface SelectionMark {
  /** `''`: the whole space. */
  readonly path: string;
  readonly selected: boolean;
  /** Neither side has anything there now. */
  readonly unknown: boolean;
}

interface Mark {
  /** Where it was when it was marked, for as long as no entry is known for it. */
  path: string;
  entryId: EntryId | null;
  readonly selected: boolean;
}

/**
 * Which part of the space this device holds. Kept in the tree store, so the choice is durable before anything is
 * done about it. A mark follows its entry through renames.
 */
export class Selection {
  readonly #trees: TreeStore;
  readonly #rootId: EntryId;
  #marks: Mark[];
  /** By folded path; an entry that is being moved is marked in both places. */
  #states = new Map<string, boolean>();
  /** Places that are needed to get to a selected one. */
  #passages = new Set<string>();

  constructor(trees: TreeStore, rootId: EntryId) {
    this.#trees = trees;
    this.#rootId = rootId;
    this.#marks = parseMarks(trees.getValue(VALUE_NAME));
    this.refresh();
  }

  /** The folders in which places lie that are left out while others are not. */
  edges(): string[] {
    const edges = new Set<string>(this.isWhole ? [] : ['']);
    for (const mark of this.#marks)
      for (const place of this.#placesOf(mark))
        for (let at = place; at !== ''; at = parentPath(at)) edges.add(parentPath(at));
    return [...edges];
  }

  /** Changes whenever a marked place does. */
  get places(): string {
    return [...this.#states].map(([path, selected]) => `${selected ? '+' : '-'}${path}`).join('\n');
  }

  /** This device holds everything. */
  get isWhole(): boolean {
    return this.#marks.length === 0;
  }

  /** Whether this device does not hold what is at the path. */
  isOut(path: string): boolean {
    // Without its rules a device would send what nobody wants.
    if (this.#marks.length === 0 || path === '' || path === IGNORE_FILE) return false;
    const folded = foldPath(path);
    for (let at = folded; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
      const selected = this.#states.get(at);
      if (selected === true) return false;
      if (selected === false) return !this.#passages.has(folded);
      if (at === '') return false;
    }
  }

  /** Finds out where the marked entries are now. Cheap: there are few marks. */
  refresh(): void {
    this.#states = new Map();
    this.#passages = new Set();
    for (const mark of this.#marks) {
      mark.entryId ??= findEntry(this.#trees, this.#rootId, mark.path);
      for (const path of this.#placesOf(mark)) {
        const folded = foldPath(path);
        this.#states.set(folded, mark.selected);
        if (!mark.selected) continue;
        for (let at = folded; at !== ''; ) {
          at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
          this.#passages.add(at);
        }
      }
    }
  }

  /**
   * Changes the selection and hands it to the tree store; it is in force at once and durable with its next flush.
   * @throws CairnError `bad-path`, `limit-reached`
   */
  change(request: SelectionRequest): void {
    this.refresh();
    if (request.only !== undefined) {
      const paths = request.only.map(cleanPath);
      this.#marks = [];
      if (!paths.includes('')) {
        this.#mark('', false);
        for (const path of paths) this.#mark(path, true);
      }
    }
    for (const path of request.exclude ?? []) this.#mark(cleanPath(path), false);
    for (const path of request.include ?? []) this.#mark(cleanPath(path), true);
    if (this.#marks.length > MAX_MARKS)
      throw new CairnError('limit-reached', 'the selection has too many parts; choose whole folders instead');
    const stored = this.#marks.map(({ path, entryId, selected }) => ({ path, entryId, selected }));
    this.#trees.setValue(VALUE_NAME, stored.length === 0 ? null : JSON.stringify(stored));
    this.refresh();
  }

  list(): SelectionMark[] {
    this.refresh();
    return this.#marks
      .map((mark) => ({
        path: this.#placesOf(mark)[0] ?? mark.path,
        selected: mark.selected,
        unknown: mark.path !== '' && mark.entryId === null,
      }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  #mark(path: string, selected: boolean): void {
    const folded = foldPath(path);
    const isBelow = (other: Mark) =>
      this.#placesOf(other).some((place) => {
        const at = foldPath(place);
        return at === folded || folded === '' || at.startsWith(`${folded}/`);
      });
    this.#marks = this.#marks.filter((other) => !isBelow(other));
    this.refresh();
    if (this.#inherited(folded) === selected) return;
    this.#marks.push({ path, entryId: findEntry(this.#trees, this.#rootId, path), selected });
    this.refresh();
  }

  #inherited(folded: string): boolean {
    for (let at = folded; at !== ''; ) {
      at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
      const selected = this.#states.get(at);
      if (selected !== undefined) return selected;
    }
    return true;
  }

  /** Where a mark's entry is on the server, and where it belongs on a disk whose own moves are not there yet. */
  #placesOf(mark: Mark): string[] {
    const { entryId } = mark;
    if (entryId === null || entryId === this.#rootId) return [mark.path];
    const { remote, local } = this.#trees;
    const there = pathIn(remote, this.#rootId, entryId);
    const parentId = remote.get(entryId)?.parentId ?? null;
    const parent = parentId === null ? null : pathIn(local, this.#rootId, parentId);
    const name = remote.get(entryId)?.name;
    const here =
      pathIn(local, this.#rootId, entryId) ??
      (parent === null || name === undefined ? null : joinPath(parent, name));
    const places = [there, here].filter((path) => path !== null);
    return places.length === 0 ? [mark.path] : [...new Set(places)];
  }
}

function cleanPath(path: string): string {
  const names = path.split('/').filter((name) => name !== '');
  if (names.some((name) => name === '.' || name === '..'))
    throw new CairnError('bad-path', `"${path}" is not a path in the synced folder`);
  return names.join('/');
}

function foldPath(path: string): string {
  return path.split('/').map(foldName).join('/');
}

/** The entry at a path, on the server or else here; names are compared as the space does. */
function findEntry(trees: Trees, rootId: EntryId, path: string): EntryId | null {
  if (path === '') return rootId;
  for (const tree of [trees.remote, trees.local]) {
    let id: EntryId | null = rootId;
    for (const name of path.split('/')) {
      const wanted: string = foldName(name);
      let next: EntryId | null = null;
      for (const child of tree.children(id))
        if (foldName(tree.get(child)?.name ?? '') === wanted) next = child;
      id = next;
      if (id === null) break;
    }
    if (id !== null) return id;
  }
  return null;
}

function parseMarks(text: string | null): Mark[] {
  if (text === null) return [];
  const marks = JSON.parse(text) as Mark[];
  return marks.map(({ path, entryId, selected }) => ({ path, entryId, selected }));
}
