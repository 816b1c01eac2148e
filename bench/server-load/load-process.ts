import { type LoadDevice, signIn } from './load-device.ts';
import type { LoadAnswer, LoadPlan, LoadRequest, LoadResult, SpaceNotes } from './messages.ts';

/** One process that is many devices: started by `bench/server-load.ts`, which says what to do. */

const SIGN_INS_AT_ONCE = 2;
const devices: LoadDevice[] = [];
const ending = new AbortController();
let runs: Promise<unknown> = Promise.resolve();
let cpuBefore = process.cpuUsage();

function say(answer: LoadAnswer): void {
  process.send?.(answer);
}

async function prepare(plan: LoadPlan): Promise<void> {
  const waiting = [...plan.devices];
  const signInAll = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      devices.push(await signIn(plan, next));
    }
  };
  await Promise.all(Array.from({ length: SIGN_INS_AT_ONCE }, signInAll));
  say({ kind: 'done' });
}

async function begin(): Promise<void> {
  cpuBefore = process.cpuUsage();
  runs = Promise.all(devices.map((device) => device.run(ending.signal)));
  say({ kind: 'done' });
}

function gather(): LoadResult {
  const { user, system } = process.cpuUsage(cpuBefore);
  const spaces: Record<string, SpaceNotes> = {};
  for (const { spaceId, notes } of devices) {
    const before = spaces[spaceId];
    spaces[spaceId] = {
      commits: [...(before?.commits ?? []), ...notes.commits],
      hints: [...(before?.hints ?? []), ...notes.heard],
      lastSequence: Math.max(before?.lastSequence ?? 0, notes.lastSequence),
    };
  }
  const all = devices.map(({ notes }) => notes);
  return {
    kind: 'result',
    commitMs: all.flatMap(({ commitMs }) => commitMs),
    uploadMs: all.flatMap(({ uploadMs }) => uploadMs),
    spaces,
    hints: all.reduce((sum, { hints }) => sum + hints, 0),
    followerEnds: devices.flatMap(({ isFollower, spaceId, notes }) =>
      isFollower ? [[spaceId, notes.lastSequence] as const] : [],
    ),
    followedChanges: all.reduce((sum, { followedChanges }) => sum + followedChanges, 0),
    errors: all.flatMap(({ errors }) => errors).slice(0, 100),
    cpuSeconds: (user + system) / 1e6,
  };
}

async function stop(): Promise<void> {
  ending.abort();
  await runs;
  say({ kind: 'done' });
}

async function finish(): Promise<void> {
  for (const device of devices) await device.catchUp();
  say(gather());
  // Nothing keeps the process then but the one that started it: who ends first can take the answer along.
  for (const device of devices) device.close();
}

function act(request: LoadRequest): Promise<void> {
  switch (request.kind) {
    case 'plan':
      return prepare(request);
    case 'begin':
      return begin();
    case 'stop':
      return stop();
    case 'finish':
      return finish();
  }
}

process.on('message', (request: LoadRequest) => {
  act(request).catch((error: unknown) => say({ kind: 'failed', message: String(error) }));
});
