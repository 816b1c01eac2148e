import { caseConflictName, conflictCopyName, type EntryId, foldName } from '@cairn/model';
import type { View } from './view.ts';

/** Gives out names for what loses its own: free on both sides and among those given out before. */
export interface FreeNames {
  conflictCopy(parentId: EntryId, name: string): string;
  caseConflict(parentId: EntryId, name: string): string;
}

export function createFreeNames(view: View): FreeNames {
  const given = new Set<string>();
  function choose(parentId: EntryId, build: (counter: number) => string): string {
    for (let counter = 1; ; counter++) {
      const name = build(counter);
      const key = `${parentId}/${foldName(name)}`;
      if (given.has(key)) continue;
      if (view.remoteNamed(parentId, name).length > 0 || view.localNamed(parentId, name).length > 0) continue;
      given.add(key);
      return name;
    }
  }
  const { deviceName, date } = view.options;
  return {
    conflictCopy: (parentId, name) =>
      choose(parentId, (counter) => conflictCopyName(name, deviceName, date, counter)),
    caseConflict: (parentId, name) => choose(parentId, (counter) => caseConflictName(name, counter)),
  };
}
