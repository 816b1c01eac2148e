import { keyOf, linkKey } from './contents.ts';
import { readSeen, type ServerView, type StageDevice } from './stage.ts';

/** Contents that must never be lost, by name, with where they were seen. */
export type Kept = Map<string, { readonly where: string; readonly text: string }>;

/** Everything on the disk of a device that is in sync must be reachable ever after (I1). */
export async function noteContents(device: StageDevice, kept: Kept): Promise<void> {
  const status = await device.status();
  const exempt = new Set(status?.unsynced.map(({ path }) => path.replace(/^\//, '')));
  for (const [path, { kind, bytes, target }] of readSeen(device.user)) {
    if (exempt.has(path)) continue;
    const where = `${path} on ${device.name}`;
    if (kind === 'file')
      kept.set(await keyOf(bytes), { where, text: Buffer.from(bytes.subarray(0, 60)).toString() });
    else if (kind === 'link') kept.set(linkKey(target), { where, text: target });
  }
}

/** What of it is neither live, nor in a version, nor in the trash, nor rescued. Empties the trash into the tree. */
export async function findUnreachable(
  kept: Kept,
  devices: readonly StageDevice[],
  view: ServerView,
): Promise<string[]> {
  const left = new Map(kept);
  for (const entry of await view.entries()) {
    if (entry.kind === 'file') left.delete(entry.content.contentId);
    else if (entry.kind === 'link') left.delete(linkKey(entry.target));
  }
  for (const device of devices) {
    if (left.size === 0) break;
    for (const bytes of await device.rescued()) left.delete(await keyOf(bytes));
  }
  if (left.size > 0) {
    for (const device of devices) await device.stop();
    await view.restoreTrash();
    for (const entry of await view.entries()) {
      if (entry.kind === 'folder') continue;
      for (const { contentId, target } of await view.versions(entry.entryId)) {
        if (contentId !== null) left.delete(contentId);
        if (target !== null) left.delete(linkKey(target));
      }
    }
  }
  return [...left.values()].map(({ where, text }) => `lost: ${JSON.stringify(text)}, seen as ${where}`);
}
