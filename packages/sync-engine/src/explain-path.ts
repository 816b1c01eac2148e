import type { EntryId } from '@cairn/model';
import type { PlanOptions, TreeReader } from '@cairn/planner';
import { explainEntry } from '@cairn/planner';
import type { TreeStore } from '@cairn/tree-store';
import type { Failures } from './failures.ts';
import type { LocalTree } from './local-tree.ts';
import type { UnsyncedReason } from './observe/collect.ts';
import type { IgnoreRules } from './observe/ignore-rules.ts';
import type { SyncState } from './status.ts';

/** The answer to "why": facts first, then what happens next, as sentences. */
export interface Explanation {
  readonly path: string;
  readonly entryId: EntryId | null;
  /** One word: `in-sync`, `pending`, `ignored`, `unsyncable`, `problem` or `unknown-path`. */
  readonly verdict: 'in-sync' | 'pending' | 'ignored' | 'unsyncable' | 'problem' | 'unknown-path';
  readonly lines: readonly string[];
}

interface ExplainDeps {
  readonly trees: TreeStore;
  readonly local: LocalTree;
  readonly failures: Failures;
  readonly rules: IgnoreRules;
  readonly unsynced: ReadonlyMap<string, UnsyncedReason>;
  readonly options: PlanOptions;
  readonly state: SyncState;
}

const UNSYNCED_TEXTS: Record<UnsyncedReason, string> = {
  ignored: 'It matches a rule of .cairnignore, so it stays on this device only.',
  'special-file': 'It is a pipe, socket or device file; those cannot be synced. It is left as it is.',
  'name-not-unicode': 'Its name is not valid UTF-8. Rename it and it will be synced.',
  'bad-name':
    'Its name cannot be used in a space (reserved, or longer than 255 bytes). Rename it and it will be synced.',
  'other-filesystem':
    'Another filesystem is mounted there; only the disk of the synced folder itself is synced.',
  'too-deep': 'It lies too many folders deep.',
  unreadable:
    'It cannot be read (permissions or a disk error). Nothing is concluded from that; it is tried again.',
};

/**
 * @param path relative to the synced folder, `/` between names
 */
export function explainPath(deps: ExplainDeps, path: string): Explanation {
  const { trees, local } = deps;
  const unsynced = deps.unsynced.get(path);
  const rule = deps.rules.findRule(path, false) ?? deps.rules.findRule(path, true);
  const entryId =
    local.findByPath(path)?.entryId ??
    findIn(trees.remote, local.rootId, path) ??
    findIn(trees.synced, local.rootId, path);
  if (entryId === null || entryId === undefined) {
    if (rule !== null || unsynced === 'ignored') {
      const which = rule === null ? '' : ` (rule "${rule}")`;
      return {
        path,
        entryId: null,
        verdict: 'ignored',
        lines: [`${UNSYNCED_TEXTS.ignored.slice(0, -1)}${which}.`],
      };
    }
    if (unsynced !== undefined)
      return { path, entryId: null, verdict: 'unsyncable', lines: [UNSYNCED_TEXTS[unsynced]] };
    const lines = ['Neither this device nor the server has anything at this path.'];
    if (deps.state !== 'in-sync')
      lines.push('The folder is still being compared; ask again when it is in sync.');
    return { path, entryId: null, verdict: 'unknown-path', lines };
  }

  const view = { rootId: local.rootId, remote: trees.remote, local: trees.local, synced: trees.synced };
  const explained = explainEntry(view, entryId, deps.options);
  const lines = [...explained.sentences];
  const failure = deps.failures.get(entryId);
  if (unsynced !== undefined) lines.push(UNSYNCED_TEXTS[unsynced]);
  if (failure !== undefined) {
    lines.push(
      `The last attempt (${failure.operation}, ${failure.attempts} so far) failed: ${failure.message} [${failure.code}]. It is tried again by itself.`,
    );
  }
  const verdict =
    failure !== undefined
      ? 'problem'
      : unsynced !== undefined
        ? 'unsyncable'
        : explained.operations.length > 0
          ? 'pending'
          : 'in-sync';
  return { path, entryId, verdict, lines };
}

function findIn(
  tree: TreeReader<{ readonly entryId: EntryId; readonly name: string }>,
  rootId: EntryId,
  path: string,
): EntryId | null {
  let id = rootId;
  if (path === '') return id;
  for (const name of path.split('/')) {
    let next: EntryId | null = null;
    for (const childId of tree.children(id)) if (tree.get(childId)?.name === name) next = childId;
    if (next === null) return null;
    id = next;
  }
  return id;
}
