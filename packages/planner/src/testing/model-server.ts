import { type Entry, type EntryId, foldName, type VersionId } from '@cairn/model';
import { ModelTree } from './model-tree.ts';

export type ServerChange =
  | { readonly kind: 'create'; readonly entry: Entry }
  | {
      readonly kind: 'update';
      readonly entryId: EntryId;
      readonly base: number;
      readonly fields: Partial<Record<string, unknown>>;
    }
  | { readonly kind: 'remove'; readonly entryId: EntryId; readonly base: number };

/** The server's rules, and nothing else: bases, unique folded names, no cycles, atomic changesets. */
export class ModelServer {
  tree: ModelTree<Entry>;
  trash = new Map<EntryId, Entry>();
  /** Every content and target that was ever committed. */
  readonly versions = new Set<string>();
  sequence = 1;

  constructor(root: Entry) {
    this.tree = new ModelTree([root]);
  }

  /** Applies all or nothing; returns why it refuses. */
  commit(changes: readonly ServerChange[]): string | null {
    const tree = new ModelTree(this.tree.values());
    const trash = new Map(this.trash);
    const before = this.sequence;
    let sequence = before;
    for (const change of changes) {
      sequence++;
      if (change.kind === 'create') {
        const { entry } = change;
        if (tree.get(entry.entryId) !== undefined || trash.has(entry.entryId)) return 'entry-exists';
        if (tree.get(entry.parentId as EntryId)?.kind !== 'folder') return 'parent-missing';
        tree.set({ ...entry, sequence });
      } else if (change.kind === 'update') {
        const current = tree.get(change.entryId);
        const trashed = trash.get(change.entryId);
        const entry = current ?? trashed;
        if (entry === undefined) return 'entry-missing';
        if (current === undefined && (change.fields['parentId'] === undefined || entry.kind === 'folder'))
          return 'entry-missing';
        if (entry.sequence > change.base) return 'stale-base';
        const next = { ...entry, ...change.fields, sequence, versionId: `${sequence}` as VersionId } as Entry;
        if (tree.get(next.parentId as EntryId)?.kind !== 'folder') return 'parent-missing';
        if (tree.isInside(next.parentId as EntryId, next.entryId)) return 'cycle';
        trash.delete(change.entryId);
        tree.set(next);
      } else {
        if (tree.get(change.entryId) === undefined) return 'entry-missing';
        for (const id of tree.below(change.entryId).reverse()) {
          const entry = tree.get(id) as Entry;
          if (entry.sequence > change.base) return 'stale-base';
          trash.set(id, entry);
          tree.delete(id);
        }
      }
    }
    const taken = new Set<string>();
    for (const entry of tree.values()) {
      const key = `${entry.parentId}/${foldName(entry.name)}`;
      if (taken.has(key)) return 'name-taken';
      taken.add(key);
    }
    this.tree = tree;
    this.trash = trash;
    this.sequence = sequence;
    for (const entry of tree.values()) {
      if (entry.kind === 'file') this.versions.add(entry.content.contentId);
      if (entry.kind === 'link') this.versions.add(entry.target);
    }
    return null;
  }
}
