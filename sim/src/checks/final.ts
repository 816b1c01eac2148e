import type { EntryId } from '@cairn/model';
import type { World } from '../history/world.ts';
import { differ, linesOfDisk, linesOfServer } from './moments.ts';
import type { Value } from './values.ts';

const MAX_VERSIONS_READ = 12;
/** Longer than between two complete scans. */
const IDLE_MS = 20 * 60_000;
/** Files that a device receives before they are committed. */
const MAX_AHEAD = 4;

/** What must hold whenever everybody has come to rest. */
export async function checkRest(world: World): Promise<void> {
  checkTrees(world);
  checkEqual(world);
  checkNothingLost(world);
  checkCopies(world);
  checkMarks(world);
  checkAhead(world, MAX_AHEAD);
}

/** What is dear to look at, once a run. */
export async function checkEnd(world: World): Promise<void> {
  const { server, mirror } = world;
  await world.timeline.hold(() =>
    mirror.compareWithTables(server.services.data, server.principal, server.spaceId),
  );
  await checkVersions(world);
  await checkIdle(world);
}

/** [I9] The three trees of each device say the same. */
function checkTrees({ devices, script }: World): void {
  // What is ignored is in one tree only.
  if (script.ignores) return;
  for (const device of devices) {
    const { remote, local, synced } = device.trees;
    const ids = new Set<EntryId>();
    for (const tree of [remote, local, synced]) for (const { entryId } of tree.values()) ids.add(entryId);
    for (const id of ids) {
      const [r, l, s] = [remote.get(id), local.get(id), synced.get(id)];
      if (r?.parentId === null || l?.parentId === null) continue;
      const places = [r, l, s].map((node) => `${node?.parentId}/${node?.name.normalize('NFC')}`);
      if (places[0] !== places[1] || places[0] !== places[2])
        throw new Error(`[I9] ${device.name}'s trees differ at ${id}: ${places.join(' | ')}`);
    }
  }
}

/** [I9] Every disk has what the server has. */
function checkEqual(world: World): void {
  if (world.script.ignores) return;
  for (const device of world.devices) {
    const difference = differ(linesOfServer(world, device), linesOfDisk(world, device));
    if (difference !== null) throw new Error(`[I9] ${device.name} differs: ${difference}`);
  }
}

/** [I1 I10 I17] Every content that no user replaced or removed is on every disk, under some name. */
function checkNothingLost(world: World): void {
  for (const device of world.devices) {
    const present = valuesOn(world, device.disk.user.walk());
    for (const value of world.values.alive()) {
      if (present.has(value)) continue;
      if (
        world.script.ignores &&
        world.devices.some((other) => valuesOn(world, other.disk.user.walk()).has(value))
      )
        continue;
      throw new Error(`[I1 I10] ${value.label} is not on ${device.name} any more`);
    }
  }
}

function valuesOn(
  { values }: World,
  items: readonly { readonly bytes: Uint8Array | null }[],
): Map<Value, number> {
  const present = new Map<Value, number>();
  for (const { bytes } of items) {
    const value = bytes === null ? undefined : values.find(bytes);
    if (value !== undefined) present.set(value, (present.get(value) ?? 0) + 1);
  }
  return present;
}

/** Of what was received ahead of its commit only a little is kept, and nothing for long. */
function checkAhead({ devices }: Pick<World, 'devices'>, atMost: number): void {
  for (const { name, disk } of devices) {
    const left = disk.user.temporaries().filter((temporary) => temporary.startsWith('ahead-'));
    if (left.length > atMost) throw new Error(`${name} keeps what nobody committed: ${left.join(' ')}`);
  }
}

/** [I22] Copies do not multiply. */
function checkCopies(world: World): void {
  const { statistics, devices, script } = world;
  const [device] = devices;
  if (device === undefined) return;
  for (const { path } of device.disk.user.walk()) {
    if (path.includes('Conflict Copy')) statistics.count('conflict-copy');
    if (/\(case conflict/i.test(path)) statistics.count('case-conflict-name');
    if (/Conflict Copy.*Conflict Copy/.test(path)) statistics.count('copy-of-a-copy');
  }
  if (world.hadUnion || world.hadCopies) return;
  for (const [value, times] of valuesOn(world, device.disk.user.walk())) {
    if (times < 2 || value.isCommon || world.leftOut.has(value)) continue;
    statistics.count('duplicate');
    if (script.writers.length === 1) throw new Error(`[I22] ${value.label} is there ${times} times`);
  }
}

/** [I18] A conflict copy that an engine made says what it is a copy of, so that somebody can decide. */
function checkMarks({ mirror, statistics, devices, ...world }: World): void {
  // What a folder took the name of has no other side to compare with; its user is told.
  const gaveWay = devices.some(({ trees }) =>
    trees.listNotices(1000).some(({ kind }) => kind === 'type-conflict'),
  );
  // The notice goes with a process that ends before it is durable, and with the answer to a commit.
  const lostAnswer = statistics.counts.has('net:commit-answer-lost');
  const mayHaveGivenWay = gaveWay || world.hadSuddenEnd || lostAnswer;
  const isOpen = world.hadUnion || world.hadCopies || world.hadHandledCopies || mayHaveGivenWay;
  for (const entry of mirror.now.values()) {
    if (entry.kind === 'folder') continue;
    if (entry.conflictOf !== undefined) statistics.count('conflict-mark');
    else if (/'s Conflict Copy/.test(entry.name) && !isOpen)
      throw new Error(`[I18] ${entry.name} is a conflict copy of nothing`);
  }
}

/** [I24] Of every file, each content that was ever committed is still there to go back to, byte by byte. */
async function checkVersions(world: World): Promise<void> {
  const { server, mirror, values } = world;
  let read = 0;
  for (const [entryId, contents] of mirror.history) {
    // Of what is in the trash, versions are only to be seen once it is back.
    if (!mirror.now.has(entryId)) continue;
    const versions = await server.work(({ data }) => data.files.listVersions(server.principal, entryId));
    const kept = new Set(versions.map(({ content }) => content?.contentId));
    for (const contentId of contents) {
      if (!kept.has(contentId))
        throw new Error(
          `[I24] a saved content of ${entryId} is gone: ${values.findByContentId(contentId)?.label ?? contentId}`,
        );
    }
    for (const version of versions) {
      if (version.content === null || read >= MAX_VERSIONS_READ) continue;
      const value = values.findByContentId(version.content.contentId);
      if (value === undefined) throw new Error(`[I5] nobody wrote a version of ${entryId}`);
      read++;
      const { versionId } = version;
      const bytes = await server.work(async ({ data }) => {
        const file = await data.files.openFile(server.principal, entryId, { versionId });
        const pieces: Uint8Array[] = [];
        for await (const piece of file.read()) pieces.push(piece);
        return Buffer.concat(pieces);
      });
      if (!bytes.equals(value.bytes)) throw new Error(`[I5] a version of ${value.label} has other bytes`);
    }
  }
}

/** [I14 I15] When nobody does anything, complete scans and polls cost no commit and no block. */
async function checkIdle({ devices, mirror, timeline, script }: World): Promise<void> {
  // What waits for its user is tried again now and then.
  if (script.ignores) return;
  const picture = (): string =>
    [mirror.sequence, ...devices.flatMap(({ link }) => [link.commits, link.packs, link.reads])].join(' ');
  const before = picture();
  for (const { engine } of devices) engine.refresh();
  await timeline.pass(IDLE_MS);
  if (picture() !== before) throw new Error(`[I14 I15] not idle: ${before} → ${picture()}`);
  checkAhead({ devices }, 0);
}
