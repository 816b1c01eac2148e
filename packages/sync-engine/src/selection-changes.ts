import { type EntryId, findReservedName, type ReservedNames } from '@cairn/model';
import type { TreeStore } from '@cairn/tree-store';
import type { LocalTree } from './local-tree.ts';
import { descendantsIn, pathIn } from './local-tree.ts';
import type { IgnoreRules } from './observe/ignore-rules.ts';
import type { Selection, SelectionRequest } from './selection.ts';

interface SelectionDeps {
  readonly selection: Selection;
  readonly trees: TreeStore;
  readonly local: LocalTree;
  rules(): IgnoreRules;
  /** Names that the disk refuses. */
  readonly reservedNames: ReservedNames;
  /** Makes the new selection durable. */
  flush(): Promise<void>;
  /** Everything has to be looked at again, here and on the server. */
  lookAtAll(): void;
}

interface Waiting {
  readonly request: SelectionRequest;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Brings selections into force between two steps of the engine: first the choice becomes durable, then anything is
 * done about it, so that a process killed in between never takes what it let go for removed.
 */
export class SelectionChanges {
  readonly #deps: SelectionDeps;
  #waiting: Waiting[] = [];
  /** Changed, but not durable yet. */
  #isOpen = false;
  /** Where the marked entries were when everything was last decided about. */
  #places = '';
  #stopped = false;

  constructor(deps: SelectionDeps) {
    this.#deps = deps;
  }

  /** Resolves once the selection is durable. The caller wakes the engine. */
  request(request: SelectionRequest): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) reject(new Error('the engine has stopped'));
      else this.#waiting.push({ request, resolve, reject });
    });
  }

  /** Brings a new selection into force, durably, when there is one. */
  async apply(): Promise<void> {
    const waiting = this.#waiting;
    if (waiting.length === 0 && !this.#isOpen) return;
    this.#waiting = [];
    this.#isOpen = true;
    const changed: Waiting[] = [];
    for (const each of waiting) {
      try {
        this.#deps.selection.change(each.request);
        changed.push(each);
      } catch (error) {
        each.reject(error);
      }
    }
    try {
      await this.#deps.flush();
    } catch (error) {
      for (const { reject } of changed) reject(error);
      throw error;
    }
    this.#isOpen = false;
    this.touch();
    this.#deps.lookAtAll();
    for (const { resolve } of changed) resolve();
  }

  /** Nobody answers any more. */
  stop(): void {
    this.#stopped = true;
    for (const { reject } of this.#waiting) reject(new Error('the engine has stopped'));
    this.#waiting = [];
  }

  /** Has everything decided about anew that a selection is about: what is here and out, and what is not here. */
  touch(): void {
    const { trees, local, selection } = this.#deps;
    selection.refresh();
    this.#places = selection.places;
    const ids: EntryId[] = [];
    for (const entryId of this.#mayBeLeftOut())
      if (entryId !== local.rootId && local.sketch(entryId) !== undefined && this.isLeftOut(entryId))
        ids.push(entryId);
    for (const entryId of trees.differing()) if (local.sketch(entryId) === undefined) ids.push(entryId);
    trees.touch(ids);
  }

  /** At least all that is left out. Where the built-in rules alone leave anything out, names tell without any path. */
  *#mayBeLeftOut(): Generator<EntryId> {
    const { trees, local, selection, reservedNames } = this.#deps;
    const rules = this.#deps.rules();
    if (!selection.isWhole || !rules.areBuiltIn || reservedNames !== 'none') {
      for (const { entryId } of local.sketches()) yield entryId;
      return;
    }
    for (const { entryId, name, kind } of trees.remote.sketches()) {
      if (!rules.isIgnored(name, kind === 'folder')) continue;
      yield entryId;
      yield* descendantsIn(trees.remote, entryId);
    }
  }

  /** A marked entry may have been moved, and something else may be where it was. */
  followMarks(): void {
    const { selection } = this.#deps;
    selection.refresh();
    if (selection.places !== this.#places) this.touch();
  }

  /**
   * A folder is elsewhere now, on the server or here: what is below it was decided about by its path. Returns whether
   * that may make a difference.
   */
  folderMoved(entryId: EntryId, from: string | null, to: string | null): boolean {
    const { trees, local, selection } = this.#deps;
    if (from === to && from !== null) return false;
    const rules = this.#deps.rules();
    const plain = (path: string) => !rules.isIgnored(path, true) && !this.#isNotPossible(path);
    const matters =
      !selection.isWhole || !rules.areBuiltIn || from === null || to === null || !plain(from) || !plain(to);
    if (matters) for (const tree of [trees.remote, local]) trees.touch(descendantsIn(tree, entryId));
    return matters;
  }

  /** Whether what is at a path is left out, now that it is to be made there; a folder's path ends in `/`. */
  isPlaceLeftOut(path: string): boolean {
    const isFolder = path.endsWith('/');
    const plain = isFolder ? path.slice(0, -1) : path;
    return this.#deps.rules().isIgnored(plain, isFolder) || this.#deps.selection.isOut(plain);
  }

  /** What is here and belongs where it is left out counts as left out: it has to go. */
  isLeftOut(entryId: EntryId): boolean {
    const { trees, local, selection, rules } = this.#deps;
    const here = local.path(entryId);
    if (here !== null && selection.isOut(here)) return true;
    const there = pathIn(trees.remote, local.rootId, entryId);
    if (there === null) return false;
    if (selection.isOut(there)) return true;
    const isIgnored = rules().isIgnored(there, trees.remote.get(entryId)?.kind === 'folder');
    if (here === null) return isIgnored;
    // What is synced still and ignored only elsewhere moves there first, if there is such a folder; see the planner.
    return this.#isNotPossible(there) || (isIgnored && !this.#canFollow(entryId));
  }

  #isNotPossible(path: string): boolean {
    const reserved = this.#deps.reservedNames;
    return reserved !== 'none' && path.split('/').some((name) => findReservedName(name, reserved) !== null);
  }

  /** Whether the folders around an entry's place on the server are here. */
  #canFollow(entryId: EntryId): boolean {
    const { trees, local } = this.#deps;
    for (let at = trees.remote.get(entryId)?.parentId ?? null; at !== null && at !== local.rootId; ) {
      if (local.get(at) === undefined) return false;
      at = trees.remote.get(at)?.parentId ?? null;
    }
    return true;
  }
}
