import type { Entry, EntryId } from '@cairn/model';
import type { SyncStatus } from '@cairn/sync-engine';
import { keyOf, linkKey } from './contents.ts';
import { readSeen, type ServerView, type StageDevice } from './stage.ts';

/** Paths with which devices may rest unfinished, by device. */
export type Waits = Readonly<Record<string, readonly string[]>>;

/**
 * Why the devices are not equal to the server yet, or `null`. A device that says that it is in sync is believed
 * only when its disk has what the server has, but for what it lists as not synced.
 */
export async function whyUnsettled(
  devices: readonly StageDevice[],
  view: ServerView,
  waits: Waits = {},
): Promise<string | null> {
  if (devices.length === 0) return null;
  const sequence = await view.sequence();
  for (const device of devices) {
    const status = await device.status();
    if (status === null) return `${device.name} does not run`;
    if (status.state !== 'in-sync' && !isOnlyWaiting(status, waits[device.name] ?? []))
      return `${device.name} is ${status.state}: ${JSON.stringify({ ...status.pending, ...status.trouble, problems: status.problems, issues: status.issues, held: status.held })}`;
    if (status.sequence !== sequence) return `${device.name} is at ${status.sequence} of ${sequence}`;
  }
  const remote = await describeServer(await view.entries());
  for (const device of devices) {
    const status = await device.status();
    const exempt = [...(status?.unsynced ?? []), ...(status?.issues ?? [])]
      .map(({ path }) => path.replace(/^\//, ''))
      .concat(waits[device.name] ?? []);
    const isExempt = (path: string) => exempt.some((each) => path === each || path.startsWith(`${each}/`));
    let local: Map<string, string>;
    try {
      local = await describeDisk(device);
    } catch (error) {
      // Something moved while it was read.
      return `${device.name} cannot be read: ${(error as Error).message}`;
    }
    for (const [path, what] of local) {
      if (!isExempt(path) && remote.get(path) !== what)
        return `${device.name} has ${path} as ${what}, the server ${remote.get(path) ?? 'nothing'}`;
    }
    for (const [path, what] of remote) {
      if (!isExempt(path) && !local.has(path)) return `${device.name} lacks ${path} (${what})`;
    }
  }
  return (await view.sequence()) === sequence ? null : 'the journal goes on';
}

/** Names that this disk cannot hold are waited for until the user does something: that is settled. */
function isOnlyWaiting({ state, problems }: SyncStatus, allowed: readonly string[]): boolean {
  return state === 'waiting' && problems.every(({ path }) => allowed.includes(path));
}

async function describeDisk(device: StageDevice): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const [path, { kind, bytes, target, executable }] of readSeen(device.user)) {
    if (kind === 'file') found.set(path, `file ${await keyOf(bytes)}${executable ? ' x' : ''}`);
    else if (kind === 'link') found.set(path, linkKey(target));
    else found.set(path, kind);
  }
  return found;
}

export async function describeServer(entries: readonly Entry[]): Promise<Map<string, string>> {
  const byId = new Map(entries.map((entry) => [entry.entryId, entry]));
  const pathOf = (entry: Entry): string => {
    const parent = entry.parentId === null ? undefined : byId.get(entry.parentId as EntryId);
    if (parent === undefined) throw new Error(`${entry.name} is an orphan`);
    return parent.parentId === null ? entry.name : `${pathOf(parent)}/${entry.name}`;
  };
  const found = new Map<string, string>();
  for (const entry of entries) {
    if (entry.parentId === null) continue;
    const what =
      entry.kind === 'file'
        ? `file ${entry.content.contentId}${entry.executable ? ' x' : ''}`
        : entry.kind === 'link'
          ? linkKey(entry.target)
          : 'folder';
    found.set(pathOf(entry), what);
  }
  return found;
}
