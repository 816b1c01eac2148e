import type { EntryId } from '@cairn/model';
import type { TreeStore } from '@cairn/tree-store';
import type { LocalTree } from './local-tree.ts';
import { pathIn } from './local-tree.ts';
import type { IgnoreRules } from './observe/ignore-rules.ts';
import type { Selection, SelectionRequest } from './selection.ts';

interface SelectionDeps {
  readonly selection: Selection;
  readonly trees: TreeStore;
  readonly local: LocalTree;
  rules(): IgnoreRules;
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
    if (!selection.isWhole) {
      for (const node of [...trees.local.values()]) {
        const path = node.entryId === local.rootId ? null : local.path(node.entryId);
        if (path !== null && selection.isOut(path)) trees.local.put(node);
      }
    }
    for (const entry of [...trees.remote.values()])
      if (trees.local.get(entry.entryId) === undefined) trees.remote.put(entry);
  }

  /** What is synced still and ignored only elsewhere is not left out yet; see the planner's `leavesOut`. */
  isLeftOut(entryId: EntryId): boolean {
    const { trees, local, selection, rules } = this.#deps;
    const here = local.path(entryId);
    if (here !== null) return selection.isOut(here);
    const there = pathIn(trees.remote, local.rootId, entryId);
    if (there === null) return false;
    const isFolder = trees.remote.get(entryId)?.kind === 'folder';
    return rules().isIgnored(there, isFolder) || selection.isOut(there);
  }
}
