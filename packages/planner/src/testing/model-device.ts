import {
  type ConflictMark,
  type Entry,
  type EntryId,
  type FileContent,
  findReservedName,
  foldName,
} from '@cairn/model';
import { plan } from '../make-plan.ts';
import type { Operation, Plan, PlannedOperation, PlanOptions } from '../plan.ts';
import type { LocalNode, SyncedNode, Trees } from '../trees.ts';
import { entryOf, localOf, ROOT, syncedOf } from './model-nodes.ts';
import type { ModelServer, ServerChange } from './model-server.ts';
import { ModelTree } from './model-tree.ts';

/**
 * One device: a disk with the real contents, what it knows of them, its copy of the remote tree and the synced
 * tree. Executes single operations with the checks a real engine makes, and the bookkeeping that plan.ts asks of
 * it.
 */
export class ModelDevice {
  /** What is really there; `content` is what the bytes are. */
  disk = new ModelTree<LocalNode>();
  /** Files whose bytes are known, with the content they had then. */
  readonly read = new Map<EntryId, FileContent>();
  remote = new ModelTree<Entry>();
  remoteSequence = 0;
  /** How far the remote tree was folded when the present plan was made: the base of its removes. */
  plannedSequence = 0;
  synced = new ModelTree<SyncedNode>();
  /** Entries that the user of this device removed, or that were in what he removed. */
  readonly userRemoved = new Set<EntryId>();
  readonly unknown = new Set<EntryId>();
  readonly counts = new Map<string, number>();
  readonly problems: string[] = [];
  /** All of a plan is executed and nobody else acts: then no operation may be refused. */
  strict = false;
  readonly name: string;
  readonly server: ModelServer;
  options: PlanOptions;
  #fresh = 0;

  constructor(name: string, server: ModelServer, options: Partial<PlanOptions> = {}) {
    this.name = name;
    this.server = server;
    this.options = {
      deviceName: name,
      date: '2026-11-21',
      foldsNames: false,
      brake: { count: 1000, share: 1 },
      confirmed: new Set(),
      ...options,
    };
  }

  freshId(): EntryId {
    return `${this.name}${String(++this.#fresh).padStart(4, '0')}` as EntryId;
  }

  /** Every path on disk with what is there; the order is that of the paths. */
  paths(): string[] {
    const found: string[] = [];
    for (const node of this.disk.values()) {
      const names: string[] = [];
      let at: LocalNode | undefined = node;
      for (; at !== undefined && at.parentId !== null; at = this.disk.get(at.parentId)) names.push(at.name);
      const what = [node.kind, node.content?.contentId, node.target, node.executable, node.modifiedAtUs];
      found.push(`${names.reverse().join('/')} ${what.join(' ')}`);
    }
    return found.sort();
  }

  follow(): void {
    this.remote = new ModelTree(this.server.tree.values());
    this.remoteSequence = this.server.sequence;
  }

  observe(): Trees {
    this.plannedSequence = this.remoteSequence;
    const local = new ModelTree(
      this.disk.values().map((node) => {
        const state = this.unknown.has(node.entryId) ? ('unknown' as const) : node.state;
        return { ...node, state, content: this.read.get(node.entryId) ?? null };
      }),
    );
    return {
      rootId: ROOT,
      remote: new ModelTree(this.remote.values()),
      local,
      synced: new ModelTree(this.synced.values()),
    };
  }

  plan(): { trees: Trees; plan: Plan } {
    const trees = this.observe();
    return { trees, plan: plan(trees, this.options) };
  }

  /** Executes what `wanted` lets through. Pushes of one batch go as one changeset, else one by one. */
  execute(trees: Trees, planned: readonly PlannedOperation[], wanted: () => boolean): void {
    const pushes = new Map<number, Operation[]>();
    for (const { batch, operation, reason } of planned) {
      if (!wanted()) continue;
      this.count(reason);
      this.count(`op:${operation.kind}`);
      if (operation.kind.startsWith('push')) {
        const list = pushes.get(batch) ?? [];
        list.push(operation);
        pushes.set(batch, list);
      } else this.act(trees, operation);
    }
    for (const [, list] of [...pushes].sort(([a], [b]) => a - b)) {
      if (this.push(trees, list)) continue;
      // One by one they may be refused: what was meant to be swapped is not any more.
      const { strict } = this;
      this.strict = false;
      if (list.length > 1) for (const each of list) this.push(trees, [each]);
      this.strict = strict;
    }
  }

  count(key: string): void {
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }

  reidentify(id: EntryId, next: EntryId): void {
    const node = this.disk.get(id);
    if (node === undefined) return;
    this.disk.delete(id);
    this.disk.set({ ...node, entryId: next });
    for (const child of this.disk.children(id)) {
      this.disk.set({ ...(this.disk.get(child) as LocalNode), parentId: next });
    }
    const content = this.read.get(id);
    this.read.delete(id);
    if (content !== undefined) this.read.set(next, content);
  }

  /** Whether the name is free on disk, as the disk sees names. */
  isFree(parentId: EntryId, name: string, except: EntryId | null): boolean {
    if (findReservedName(name, this.options.reservedNames ?? 'none') !== null) return false;
    const key = (text: string) => (this.options.foldsNames ? foldName(text) : text);
    return this.disk
      .children(parentId)
      .every((id) => id === except || key((this.disk.get(id) as LocalNode).name) !== key(name));
  }

  #unchanged(trees: Trees, id: EntryId): LocalNode | null {
    const seen = trees.local.get(id);
    const now = this.disk.get(id);
    if (seen === undefined || now === undefined || this.unknown.has(id)) return null;
    if (now.content?.contentId !== this.read.get(id)?.contentId && seen.content !== null) return null;
    return seen.fingerprint === now.fingerprint ? now : null;
  }

  #refuse(operation: Operation): undefined {
    if (this.strict) this.problems.push(`the disk refuses ${JSON.stringify(operation)}`);
  }

  act(trees: Trees, operation: Operation): undefined {
    if (operation.kind === 'adopt') {
      if (this.disk.get(operation.remoteId) === undefined) {
        this.reidentify(operation.localId, operation.remoteId);
      }
      return;
    }
    const id = operation.entryId;
    const remote = this.remote.get(id);
    const node = this.disk.get(id);
    switch (operation.kind) {
      case 'inspect':
        if (node?.content) this.read.set(id, node.content);
        return;
      case 'settle':
        if (remote === undefined) this.synced.delete(id);
        else this.synced.set(syncedOf(remote));
        return;
      case 'forget':
        this.synced.delete(id);
        return;
      case 'renew':
        this.synced.delete(id);
        this.reidentify(id, this.freshId());
        return;
      case 'fork': {
        const same = this.#unchanged(trees, id);
        if (same === null || !this.isFree(same.parentId as EntryId, operation.name, id)) {
          return this.#refuse(operation);
        }
        const mark =
          operation.conflictOf === null || operation.becomes !== undefined
            ? {}
            : { conflictOf: this.#mark(same, operation.conflictOf) };
        this.disk.set({ ...same, name: operation.name, ...mark });
        this.reidentify(id, operation.becomes ?? this.freshId());
        this.synced.delete(id);
        return;
      }
      case 'move-local': {
        const same = this.#unchanged(trees, id);
        const { parentId, name } = operation;
        if (same === null || this.disk.get(parentId)?.kind !== 'folder') return this.#refuse(operation);
        if (this.disk.isInside(parentId, id)) return this.#refuse(operation);
        if (!this.isFree(parentId, name, id)) return this.#refuse(operation);
        this.disk.set({ ...same, parentId, name });
        const base = this.synced.get(id);
        if (base && remote && remote.parentId === parentId && remote.name === name) {
          this.synced.set({ ...base, parentId, name });
        }
        return;
      }
      case 'make-folder':
      case 'make-link':
      case 'download':
        this.#place(trees, operation);
        return;
      case 'set-attributes': {
        const base = this.synced.get(id);
        if (node === undefined || remote?.kind !== 'file' || this.#unchanged(trees, id) === null) return;
        const { executable, modifiedAtUs } = remote;
        this.disk.set({ ...node, executable, modifiedAtUs });
        if (base) this.synced.set({ ...base, executable, modifiedAtUs });
        return;
      }
      case 'remove-local':
        if (this.#unchanged(trees, id) === null || this.disk.children(id).length > 0) {
          return this.#refuse(operation);
        }
        if (
          remote !== undefined &&
          this.options.leavesOut === undefined &&
          this.options.reservedNames === undefined
        )
          this.problems.push(`remove-local of ${id}, which the server has`);
        if (remote !== undefined && node !== undefined) this.#expectVersionOnServer(node);
        this.disk.delete(id);
        this.read.delete(id);
        this.synced.delete(id);
        return;
    }
  }

  #mark(node: LocalNode, originalId: EntryId): ConflictMark {
    const original = this.remote.get(originalId);
    const above = original === undefined || original.kind === 'folder' ? undefined : original.conflictOf;
    const entryId = above?.entryId ?? originalId;
    return node.conflictOf ?? { entryId, baseSequence: null, deviceName: this.name, at: 0 as never };
  }

  /** What goes because it is not selected must be on the server, or have been. */
  #expectVersionOnServer(node: LocalNode): void {
    const value = node.content?.contentId ?? node.target;
    if (value != null && !this.server.versions.has(value)) this.problems.push(`${value} left its only place`);
  }

  #place(
    trees: Trees,
    operation: Extract<Operation, { kind: 'make-folder' | 'make-link' | 'download' }>,
  ): undefined {
    const id = operation.entryId;
    const remote = this.remote.get(id);
    if (remote === undefined) return;
    const replace = operation.kind !== 'make-folder' && operation.replace;
    const content = remote.kind === 'file' ? remote.content : null;
    const made = {
      kind: remote.kind,
      content,
      target: remote.kind === 'link' ? remote.target : null,
      ...(remote.kind === 'file' ? { executable: remote.executable, modifiedAtUs: remote.modifiedAtUs } : {}),
    };
    if (replace) {
      const same = this.#unchanged(trees, id);
      const base = this.synced.get(id);
      if (same === null) return this.#refuse(operation);
      this.disk.set({ ...same, ...made });
      if (base) {
        this.synced.set({ ...syncedOf(remote), parentId: base.parentId, name: base.name });
      }
    } else {
      const parentId = remote.parentId as EntryId;
      if (this.disk.get(id) !== undefined || this.disk.get(parentId)?.kind !== 'folder') {
        return this.#refuse(operation);
      }
      if (!this.isFree(parentId, remote.name, null)) return this.#refuse(operation);
      this.disk.set(localOf(id, parentId, remote.name, made));
      this.synced.set(syncedOf(remote));
    }
    if (content !== null) this.read.set(id, content);
  }

  push(trees: Trees, operations: readonly Operation[]): boolean {
    const changes: ServerChange[] = [];
    const done: (() => void)[] = [];
    for (const operation of operations) {
      if (operation.kind === 'adopt') continue;
      const id = operation.entryId;
      const seen = trees.local.get(id);
      const remote = trees.remote.get(id);
      const record = () => {
        const entry = this.server.tree.get(id);
        if (entry) this.synced.set(syncedOf(entry));
      };
      if (operation.kind === 'push-create') {
        const node = this.#unchanged(trees, id);
        if (node === null || seen === undefined) return false;
        changes.push({ kind: 'create', entry: entryOf(seen) });
        done.push(record);
      } else if (operation.kind === 'push-update') {
        if (this.#unchanged(trees, id) === null || seen === undefined) return false;
        const fields = this.#fields(operation, seen, trees);
        const base = remote?.sequence ?? trees.synced.get(id)?.sequence ?? 0;
        changes.push({ kind: 'update', entryId: id, base, fields });
        const old = this.synced.get(id);
        done.push(() => {
          const entry = this.server.tree.get(id);
          if (entry === undefined) return;
          const now = syncedOf(entry);
          if (remote === undefined || old === undefined) return this.synced.set(now);
          this.synced.set({
            ...old,
            ...(operation.place ? { parentId: now.parentId, name: now.name } : {}),
            ...(operation.content ? { contentId: now.contentId, target: now.target } : {}),
            ...('executable' in fields ? { executable: now.executable } : {}),
            ...('modifiedAtUs' in fields ? { modifiedAtUs: now.modifiedAtUs } : {}),
          });
        });
      } else if (operation.kind === 'push-rename') {
        if (remote === undefined) return false;
        changes.push({
          kind: 'update',
          entryId: id,
          base: remote.sequence,
          fields: { name: operation.name },
        });
      } else if (operation.kind === 'push-remove') {
        const leaving = new Set(operations.map((each) => ('entryId' in each ? each.entryId : null)));
        for (const below of this.remote.below(id)) {
          if (this.disk.get(below) !== undefined && (below === id || !leaving.has(below))) return false;
        }
        changes.push({ kind: 'remove', entryId: id, base: this.plannedSequence });
      }
    }
    const before = this.server.tree;
    // Changes of one changeset see each other: a remove's base covers what the same changeset moved.
    const answer = this.server.commit(changes);
    this.count(`commit:${answer ?? 'ok'}`);
    if (this.strict && (answer === 'name-taken' || answer === 'cycle' || answer === 'parent-missing')) {
      this.problems.push(`the server refuses ${answer}: ${JSON.stringify(operations)}`);
    }
    if (answer !== null) {
      const only = operations[0];
      if (operations.length === 1 && only !== undefined && only.kind !== 'adopt') {
        this.#afterRefusal(trees, only.entryId, answer, only.kind);
      }
      return false;
    }
    for (const each of done) each();
    for (const entry of before.values()) {
      if (this.server.tree.get(entry.entryId) !== undefined) continue;
      if (!this.userRemoved.has(entry.entryId)) this.problems.push(`phantom delete of ${entry.entryId}`);
      this.synced.delete(entry.entryId);
    }
    this.follow();
    return true;
  }

  /** The engine gives a node a fresh id when the server will not have it under the old one. */
  #afterRefusal(trees: Trees, id: EntryId, answer: string, kind: string): void {
    if (this.server.tree.get(id) !== undefined) return;
    const isCreate = kind === 'push-create' && answer === 'entry-exists';
    const isRevival = kind === 'push-update' && trees.remote.get(id) === undefined;
    if (isCreate || (isRevival && (answer === 'stale-base' || answer === 'entry-missing'))) {
      this.count('renewed-after-refusal');
      this.synced.delete(id);
      this.reidentify(id, this.freshId());
    }
  }

  #fields(
    operation: Extract<Operation, { kind: 'push-update' }>,
    seen: LocalNode,
    trees: Trees,
  ): Record<string, unknown> {
    const fields: Record<string, unknown> = {};
    if (operation.place) Object.assign(fields, { parentId: seen.parentId, name: seen.name });
    if (operation.content && seen.kind === 'link') fields['target'] = seen.target;
    if (operation.content && seen.kind === 'file') {
      const { content, executable, modifiedAtUs } = seen;
      Object.assign(fields, { content, executable, modifiedAtUs });
    } else if (operation.attributes && seen.kind === 'file') {
      const remote = trees.remote.get(seen.entryId);
      const base = trees.synced.get(seen.entryId);
      for (const field of ['executable', 'modifiedAtUs'] as const) {
        const there = remote?.kind === 'file' ? remote[field] : undefined;
        if (base && seen[field] !== base[field] && there === base[field]) fields[field] = seen[field];
      }
    }
    return fields;
  }
}
