import type { Client } from '@cairn/client';
import { CairnError } from '@cairn/model';
import type { ConflictObject } from '@cairn/protocol';
import { showName } from '../output/text.ts';
import { serverPath } from '../server-paths.ts';

/** Every conflict that nobody has decided about, by the path of the copy. */
export async function readConflicts(client: Client, signal: AbortSignal): Promise<ConflictObject[]> {
  const conflicts: ConflictObject[] = [];
  for await (const conflict of client.conflicts.list(signal)) conflicts.push(conflict);
  return conflicts.sort((one, other) => compareText(one.copy.entry.path, other.copy.entry.path));
}

/**
 * The conflict whose copy, or whose original, is at this path.
 * @throws CairnError `not-found`; `usage` when the path is that of an original with several copies
 */
export async function findConflict(
  client: Client,
  text: string,
  signal: AbortSignal,
): Promise<ConflictObject> {
  const path = serverPath(text);
  const conflicts = await readConflicts(client, signal);
  const copy = conflicts.find(({ copy: { entry } }) => entry.path === path);
  if (copy !== undefined) return copy;
  const ofIt = conflicts.filter(({ original }) => original?.entry.path === path);
  const [only] = ofIt;
  if (only === undefined) {
    throw new CairnError('not-found', `${showName(text)} is in no conflict. See "cairn conflicts list"`, {
      details: { path },
    });
  }
  if (ofIt.length > 1) {
    const names = ofIt.map(({ copy: { entry } }) => showName(entry.path)).join(', ');
    throw new CairnError(
      'usage',
      `there are ${ofIt.length} conflict copies of it; name one of them: ${names}`,
    );
  }
  return only;
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
