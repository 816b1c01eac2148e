import { createSeededRandom, createSimulatedEnvironment } from '@cairn/environment';
import type { Activity } from '../activity.ts';
import { parseIgnoreRules } from '../observe/ignore-rules.ts';
import type { SelectionMark } from '../selection.ts';
import { contentIdOfBytes } from './committed-contents.ts';
import { pump } from './history.ts';
import { createTestWorld, type TestDevice } from './world.ts';

const NAMES = ['a', 'b', 'c', 'd', 'x.txt', 'y.txt'];
/** Rules that a history may have; all are about folders. */
const RULES = ['/a/', 'c/', '/b/d/'];
const MAX_ROUNDS = 300;

export interface SelectionReport {
  /** How often something happened, by name. */
  readonly met: ReadonlyMap<string, number>;
}

/** Whether marks leave a file out: the closest one decides. */
function isOut(marks: readonly SelectionMark[], path: string): boolean {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
    const mark = marks.find((each) => each.path === at);
    if (mark !== undefined) return !mark.selected;
    if (at === '') return false;
  }
}

/**
 * Two devices whose users choose, ignore, move and edit as they like, but remove nothing; some processes end. Then
 * nothing was deleted on the server, each device shows just what its selection says, and once all is selected and
 * nothing is ignored both have everything that was ever written and not overwritten. Throws when that does not hold.
 */
export async function runSelectionHistory(
  seed: number,
  log: (line: string) => void = () => undefined,
): Promise<SelectionReport> {
  const next = createSeededRandom(seed);
  const below = (limit: number) => next() % limit;
  const chance = (percent: number) => below(100) < percent;
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;
  const simulated = createSimulatedEnvironment({ seed: next() });
  const environment = {
    ...simulated,
    clock: { ...simulated.clock, now: () => Math.floor(simulated.clock.now()) },
  };
  const world = await createTestWorld({ environment, latencyMs: chance(50) ? 1 + below(20) : 0 });
  const tell = (name: string) => ({
    onActivity: ({ operation, path, message }: Activity) =>
      log(`    ${name} did ${operation} ${path} ${message ?? ''}`),
  });
  const devices = [
    await world.addDevice('One', tell('One')),
    await world.addDevice('Two', tell('Two')),
  ] as const;
  const alive = new Map<string, string>();
  const met = new Map<string, number>();
  const note = (what: string) => met.set(what, (met.get(what) ?? 0) + 1);
  let written = 0;
  const { data, principal, spaceId } = world;
  const genesis = await pump(environment, data.spaces.readSnapshot(principal, spaceId, null, 1));

  async function pass(durationMs: number): Promise<void> {
    const until = environment.clock.monotonicMs() + durationMs;
    for (let rounds = 0; rounds < 20_000; rounds++) {
      await new Promise((resolve) => setImmediate(resolve));
      const left = until - environment.clock.monotonicMs();
      const due = environment.untilNextTimerMs();
      if (due === null || due > left) {
        if (left > 0) await environment.advance(left);
        return;
      }
      await environment.advance(due);
    }
    throw new Error('an engine is busy without end');
  }

  function look(device: TestDevice): { path: string; kind: string; content: string }[] {
    return device.disk.user.describe().map((line) => {
      const [, path, kind, content] = /^(.*) (file|folder|link)(?: ([0-9a-f]*))?/.exec(line) ?? [];
      return { path: path ?? '', kind: kind ?? '', content: content ?? '' };
    });
  }
  /** Deep in what is ignored nobody looks for what vanished. */
  const isTooDeep = (path: string) => {
    const names = path.split('/');
    return RULES.some((rule) =>
      names.some(
        (_, depth) =>
          depth > 0 &&
          depth < names.length - 1 &&
          parseIgnoreRules(rule).isIgnored(names.slice(0, depth).join('/'), true),
      ),
    );
  };
  function write(device: TestDevice, path: string): void {
    const old = look(device).find((each) => each.path === path);
    if (old !== undefined) alive.delete(old.content);
    const content = `content #${written++}`;
    device.disk.user.writeFile(path, content);
    alive.set(Buffer.from(content).toString('hex'), `${path} of ${device.name}`);
  }
  function act(device: TestDevice): void {
    const { user } = device.disk;
    const items = look(device).filter(({ path }) => path !== '.cairnignore');
    const folders = items.filter(({ kind }) => kind === 'folder').map(({ path }) => path);
    const files = items.filter(({ kind }) => kind === 'file').map(({ path }) => path);
    const place = () => (chance(35) || folders.length === 0 ? '' : `${pick(folders)}/`) + pick(NAMES);
    const to = place();
    const isFree = !items.some(({ path }) => path === to) && to.split('/').length < 6;
    const roll = below(100);
    if (roll < 22 && isFree) {
      log(`${device.name}: folder ${to}`);
      user.makeFolder(to);
    } else if (roll < 45 && isFree) {
      log(`${device.name}: write ${to} #${written}`);
      write(device, to);
    } else if (roll < 55 && files.length > 0) {
      const path = pick(files);
      log(`${device.name}: edit ${path} #${written}`);
      write(device, path);
    } else if (items.length > 0 && isFree && !isTooDeep(`${to}/x`)) {
      const from = chance(60) && folders.length > 0 ? pick(folders) : pick(items).path;
      const file = files.includes(from);
      if (`${to}/`.startsWith(`${from}/`) || (file && isTooDeep(`${to}/x/y`))) return;
      log(`${device.name}: move ${from} → ${to}`);
      user.rename(from, to);
      note('moved');
    }
  }
  async function choose(device: TestDevice): Promise<void> {
    const known = [...(await serverFiles())].map(([path]) => path);
    const places = known.map((path) =>
      path
        .split('/')
        .slice(0, 1 + below(3))
        .join('/'),
    );
    const path = places.length > 0 && chance(90) ? pick(places) : pick(NAMES);
    const request = pick([{ exclude: [path] }, { exclude: [path] }, { only: [path] }, { include: [path] }]);
    log(`${device.name} selects ${JSON.stringify(request)}`);
    note('selected');
    if (!device.running) return;
    const done = device.engine.select(request).catch(() => undefined);
    if (chance(70)) await pump(environment, done);
  }
  async function serverFiles(): Promise<Map<string, { entryId: string; content: string }>> {
    const found = new Map<string, { entryId: string; content: string }>();
    const snapshot = await pump(environment, data.spaces.readSnapshot(principal, spaceId, null, 5000));
    const byId = new Map(snapshot.entries.map((entry) => [entry.entryId, entry]));
    for (const entry of snapshot.entries) {
      if (entry.kind !== 'file') continue;
      let path = entry.name;
      for (let at = entry.parentId; at !== null; at = byId.get(at)?.parentId ?? null) {
        const folder = byId.get(at);
        if (folder !== undefined && folder.parentId !== null) path = `${folder.name}/${path}`;
      }
      found.set(path, { entryId: entry.entryId, content: entry.content.contentId });
    }
    return found;
  }
  async function rest(wanted: readonly string[]): Promise<void> {
    for (const device of devices) {
      device.network.offline = false;
      if (device.running) device.engine.refresh();
      else device.start();
    }
    for (let round = 0, quiet = 0; quiet < 2; round++) {
      await pass(500);
      const now = await pump(environment, world.sequence());
      const isQuiet = devices.every(({ engine, failure }) => {
        if (failure !== null) throw failure;
        const { state, sequence } = engine.status();
        return wanted.includes(state) && sequence === now;
      });
      quiet = isQuiet ? quiet + 1 : 0;
      if (isQuiet && quiet === 1) for (const { engine } of devices) engine.refresh();
      if (round > MAX_ROUNDS)
        throw new Error(
          `no rest:\n${devices.map(({ engine, disk }) => `${JSON.stringify(engine.status())}\n${disk.user.describe().join('\n')}`).join('\n')}`,
        );
    }
  }
  /**
   * Every content that the server was given is current, or an older version of what is there. (A move that was seen in
   * halves may be a removal and something new; what was in it is there all the same.)
   */
  async function nothingDeleted(): Promise<void> {
    const page = await pump(environment, data.spaces.readChanges(principal, spaceId, genesis.cursor, 5000));
    const server = [...(await serverFiles()).values()];
    const entryIds = new Set<string>(server.map(({ entryId }) => entryId));
    const there = new Set<string>(server.map(({ content }) => content));
    const committed = new Set<string>();
    for (const { entry } of page.changes) {
      if (entry?.kind !== 'file') continue;
      committed.add(entry.content.contentId);
      if (entryIds.has(entry.entryId)) there.add(entry.content.contentId);
    }
    for (const [content, where] of alive) {
      const contentId = await contentIdOfBytes(Buffer.from(content, 'hex'));
      if (committed.has(contentId) && !there.has(contentId))
        throw new Error(`the server no longer has ${Buffer.from(content, 'hex')} (${where})`);
    }
  }

  try {
    for (const name of ['a', 'b', 'c']) devices[0].disk.user.makeFolder(name);
    for (let count = 4 + below(12); count > 0; count--) act(devices[0]);
    for (const device of devices) device.start();
    await rest(['in-sync']);
    for (let step = 6 + below(16); step > 0; step--) {
      const device = pick(devices);
      const roll = below(100);
      if (roll < 25) await choose(device);
      else if (roll < 32) {
        const rules = RULES.filter(() => chance(40));
        log(`${device.name} ignores ${rules.join(' ')}`);
        note('ignored');
        device.disk.user.writeFile('.cairnignore', rules.join('\n'));
      } else if (roll < 38) {
        device.network.offline = !device.network.offline;
        log(`${device.name} is ${device.network.offline ? 'offline' : 'online'}`);
      } else if (roll < 44) {
        log(`${device.name} is killed`);
        if (device.running) await pump(environment, device.kill());
        if (chance(70)) device.start();
      } else for (let count = 1 + below(3); count > 0; count--) act(device);
      await pass(chance(50) ? below(60) : below(900));
    }
    log('rest');
    await rest(['in-sync', 'waiting']);
    await nothingDeleted();
    const server = await serverFiles();
    for (const device of devices) {
      const status = device.engine.status();
      if (status.state === 'waiting') note('waits');
      const marks = device.engine.selection();
      const disk = new Map(look(device).map((item) => [item.path, item]));
      const own = disk.get('.cairnignore')?.content ?? '';
      const rules = parseIgnoreRules(Buffer.from(own, 'hex').toString());
      for (const [path, { entryId, content }] of server) {
        if (path !== '.cairnignore' && rules.isIgnored(path, false)) continue;
        const local = device.trees.local.get(entryId as never);
        if (isOut(marks, path) && path !== '.cairnignore') {
          note('out');
          const told = status.issues.some((issue) => issue.path === path) || status.state === 'waiting';
          if (local !== undefined && !told) throw new Error(`${device.name} still holds ${path}`);
        } else if (status.state === 'in-sync') {
          note('held');
          if (local?.content?.contentId !== content || disk.get(path)?.kind !== 'file')
            throw new Error(`${device.name} lacks ${path}`);
        }
      }
    }
    log('everything is selected');
    for (const device of devices) {
      if (look(device).some(({ path }) => path === '.cairnignore'))
        device.disk.user.writeFile('.cairnignore', '');
      const done = device.engine.select({ only: [''] });
      await pump(environment, done);
    }
    await rest(['in-sync']);
    await nothingDeleted();
    const [one, two] = devices.map((device) => device.disk.user.describe().join('\n'));
    if (one !== two) throw new Error(`the devices differ:\n${one}\n\n${two}`);
    const there = new Set(look(devices[0]).map(({ content }) => content));
    for (const [content, where] of alive)
      if (!there.has(content)) throw new Error(`lost: ${Buffer.from(content, 'hex')} (${where})`);
    return { met };
  } finally {
    for (const { network } of devices) network.offline = false;
    await pump(environment, world.close());
  }
}
