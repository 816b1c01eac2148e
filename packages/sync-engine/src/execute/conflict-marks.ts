import type { ConflictMark, Entry, EntryId } from '@cairn/model';
import type { LocalNode } from '@cairn/planner';
import type { ExecuteDeps } from './deps.ts';

/**
 * The mark of a node that loses its name to `originalId`. One that it has already stays, and a copy of a conflict copy
 * counts as one of the original.
 */
export function createMark(
  { trees, environment, deviceName }: Pick<ExecuteDeps, 'trees' | 'environment' | 'deviceName'>,
  node: LocalNode,
  originalId: EntryId,
): ConflictMark {
  if (node.conflictOf !== undefined) return node.conflictOf;
  const original = trees.remote.get(originalId);
  const above = original === undefined || original.kind === 'folder' ? undefined : original.conflictOf;
  const base = node.entryId === originalId ? trees.synced.get(originalId)?.sequence : undefined;
  return {
    entryId: above?.entryId ?? originalId,
    baseSequence: above === undefined ? (base ?? null) : above.baseSequence,
    deviceName,
    at: environment.clock.now(),
  };
}

/**
 * Once the server has the mark, it says from then on what the entry is. Bytes may be sent before the name that the mark goes
 * with; until then the mark stays here.
 */
export function forgetMark({ local }: Pick<ExecuteDeps, 'local'>, entry: Entry): void {
  const node = local.get(entry.entryId);
  if (node?.conflictOf === undefined || entry.kind === 'folder' || entry.conflictOf === undefined) return;
  const { conflictOf: _known, ...rest } = node;
  local.put(rest);
}
