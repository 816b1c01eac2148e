import type { FaultPlan, MemoryOperation } from '@cairn/filesystem';
import type { Draw } from '../random.ts';

const CHANGES: readonly MemoryOperation[] = [
  'place',
  'move',
  'displace',
  'removeFolder',
  'makeFolder',
  'makeLink',
  'setAttributes',
];
const KINDS: Readonly<Record<string, readonly MemoryOperation[]>> = {
  'cannot list': ['list'],
  'cannot look': ['status', 'openRead'],
  'cannot read': ['read'],
  'cannot change names': CHANGES,
  'cannot flush': ['sync', 'syncFolders'],
  'is read-only': [...CHANGES, 'write', 'openTemporary', 'writeMarker', 'removeOldTemporaries'],
  'fails everywhere': ['list', 'status', 'read', 'openRead', ...CHANGES],
};

/** A disk that fails in some way, at some names, in some share of the calls. */
export function drawDiskFaults(draw: Draw, names: readonly string[]): { words: string; plan: FaultPlan } {
  const kind = draw.pick(Object.keys(KINDS));
  const operations = KINDS[kind] as readonly MemoryOperation[];
  const code = kind === 'is read-only' ? 'EROFS' : draw.pick(['EIO', 'EACCES', 'ESTALE']);
  const share = draw.pick([20, 60, 100]);
  const name = names.length > 0 && draw.chance(50) ? draw.pick(names) : null;
  const once = draw.chance(20) ? 1 + draw.below(12) : null;
  let calls = 0;
  return {
    words: `${kind} (${code}, ${once === null ? `${share}%` : `call ${once}`}, ${name ?? 'anywhere'})`,
    plan(operation, path) {
      if (!operations.includes(operation) || (name !== null && !path.split('/').includes(name))) return null;
      if (once !== null) return ++calls === once ? code : null;
      return draw.chance(share) ? code : null;
    },
  };
}

/** A full disk: nothing that needs room works. */
export const FULL_DISK: FaultPlan = (operation) =>
  (['write', 'place', 'makeFolder', 'openTemporary', 'makeLink'] as const).some((each) => each === operation)
    ? 'ENOSPC'
    : null;
