import type { Environment } from '@cairn/environment';
import type { Filesystem } from '@cairn/filesystem';
import type { TreeStore } from '@cairn/tree-store';

/** Names of the items that the user was told about, one per line. */
const TOLD = 'late-writes-told';

/**
 * Tells the user about files that somebody went on writing to after they were replaced or removed here: what was
 * written then is in the rescue area and nowhere else. Each is told once.
 * @returns how many are new
 */
export async function noticeLateWrites({
  filesystem,
  trees,
  environment,
}: {
  readonly filesystem: Pick<Filesystem, 'listRescued'>;
  readonly trees: TreeStore;
  readonly environment: Pick<Environment, 'clock'>;
}): Promise<number> {
  const late = (await filesystem.listRescued()).filter(({ writtenLate }) => writtenLate);
  const told = new Set(trees.getValue(TOLD)?.split('\n'));
  let count = 0;
  for (const { name, originalName } of late) {
    if (told.has(name)) continue;
    count++;
    trees.addNotice({
      at: environment.clock.now(),
      kind: 'rescued',
      path: `.cairn/rescue/${name}`,
      text: `A program went on writing to "${originalName}" after it was replaced or removed here. What it wrote is in ".cairn/rescue/${name}"; copy from there what you need, then delete it.`,
    });
  }
  if (count > 0 || late.length < told.size) {
    trees.setValue(TOLD, late.length === 0 ? null : late.map(({ name }) => name).join('\n'));
  }
  return count;
}
