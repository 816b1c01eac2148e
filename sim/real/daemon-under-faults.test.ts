import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProcessStage, type ProcessDevice, type ProcessStage } from './driver/process-stage.ts';
import { whyUnsettled } from './driver/settled.ts';
import type { FakedAnswer, FaultCounts, Faults } from './fault-proxy/faults.ts';

let stage: ProcessStage;
let a: ProcessDevice;
let b: ProcessDevice;
let round = 0;

const FILES = 12;

beforeAll(async () => {
  stage = await createProcessStage();
  a = await stage.addDevice('A', {});
  b = await stage.addDevice('B', {});
  a.user.makeFolder('d');
  for (let index = 0; index < FILES; index++) a.user.writeFile(`d/${index}`, `content ${index}`);
  await Promise.all([a.start(), b.start()]);
  await settle();
}, 60_000);
afterAll(() => stage.close(), 60_000);

async function waitUntil(what: string, why: () => Promise<string | null>, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (let reason = await why(); reason !== null; reason = await why()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}: ${reason}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const settle = (timeoutMs?: number) =>
  waitUntil('all is equal', () => whyUnsettled([a, b], stage.view), timeoutMs);

/** Both write under the fault; nothing may be deleted meanwhile; without it both are equal soon. */
async function workUnder(
  faults: Partial<Faults>,
  needsTrouble: boolean,
  count?: keyof FaultCounts,
): Promise<void> {
  round++;
  const counted = count === undefined ? 0 : a.proxy.counts[count];
  const fileA = `of-a-${round}`;
  const fileB = `of-b-${round}`;
  const before = new Set([...a.user.describe(), ...b.user.describe()]);
  for (const { proxy } of [a, b]) {
    proxy.set(faults);
    // Connections that are open already would be spared by some faults.
    if (faults.answers === undefined) proxy.breakAll('close');
  }
  a.user.writeFile(fileA, `A in round ${round}`);
  b.user.writeFile(fileB, `B in round ${round}`);
  const requests = a.proxy.counts.requests;
  await waitUntil('the fault was met', async () => {
    const { state = 'gone', trouble = null } = (await a.status()) ?? {};
    if (!needsTrouble) return a.proxy.counts.requests > requests + 2 ? null : `${state}`;
    return trouble !== null && state !== 'in-sync' ? null : `it is ${state}`;
  });
  if (count !== undefined)
    await waitUntil(count, async () => (a.proxy.counts[count] > counted ? null : 'it never happened'));
  for (const line of before) {
    const holders = [a, b].filter(({ user }) => user.describe().includes(line));
    expect(holders.length, `${line} was taken away under the fault`).toBeGreaterThan(0);
  }
  expect(a.user.describe().length).toBeGreaterThan(FILES);
  for (const { proxy } of [a, b]) {
    proxy.heal();
    proxy.breakAll('close');
  }
  for (const device of [a, b]) await device.refresh();
  await settle();
  expect(Buffer.from(b.user.readFile(fileA)).toString()).toBe(`A in round ${round}`);
  expect(Buffer.from(a.user.readFile(fileB)).toString()).toBe(`B in round ${round}`);
  expect(a.user.describe().filter((line) => line.startsWith('d/')).length).toBe(FILES);
  expect([a.daemon.unexpectedEnds, b.daemon.unexpectedEnds]).toEqual([[], []]);
}

const problem = (status: number, code: string, headers: Record<string, string> = {}): FakedAnswer => ({
  status,
  headers: { 'content-type': 'application/problem+json', ...headers },
  body: JSON.stringify({
    type: 'about:blank',
    title: 'Faked',
    status,
    code,
    detail: 'faked',
    requestId: 'x',
  }),
});
const json = (body: string): FakedAnswer => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body,
});

describe('a daemon whose requests are answered wrongly (T164) deletes nothing, and recovers', () => {
  const cases: readonly [string, FakedAnswer][] = [
    ['a captive portal with 200', { status: 200, body: '<html><h1>Welcome to our hotel</h1></html>' }],
    [
      'a portal that redirects',
      { status: 302, headers: { location: 'http://127.0.0.1:9/portal' }, body: '' },
    ],
    ['an empty answer with 200', json('')],
    ['an empty list where changes should be', json('{"changes":[],"cursor":"","more":false}')],
    ['an empty snapshot of another form', json('{"entries":[]}')],
    ['truncated JSON of the right length', json('{"changes":[{"sequence":1,')],
    ['JSON that ends early', { ...json('{"changes":[],"cursor":"x","more":false}'), bodyBytes: 12 }],
    ['502 of a proxy', { status: 502, body: '<h1>Bad gateway</h1>' }],
    ['503 of the server', problem(503, 'unavailable')],
    ['503 with Retry-After', { status: 503, headers: { 'retry-after': '1' }, body: 'later' }],
    ['429 with Retry-After', problem(429, 'limit-reached', { 'retry-after': '1' })],
    ['413 of a proxy', { status: 413, body: 'too large' }],
    ['507 of the server', problem(507, 'storage-full')],
    ['500 with a stack trace', { status: 500, body: 'Error: at Object.<anonymous>' }],
    ['404 of another server', { status: 404, body: 'not found' }],
    ['408', { status: 408, body: 'timeout' }],
    ['403 of a firewall', { status: 403, body: 'blocked' }],
  ];
  it.each(cases)('%s', async (_name, answer) => {
    await workUnder({ answers: [answer] }, true);
  });

  it('410 for every cursor and then nothing: the snapshot decides, not the loss of the cursor', async () => {
    await workUnder(
      {
        answers: [{ ...problem(410, 'cursor-unknown'), request: /^GET \/api\/v1\/sync\/changes/, times: 2 }],
      },
      false,
    );
  });
});

describe('a daemon on a bad network', () => {
  const cases: readonly [string, Partial<Faults>, keyof FaultCounts][] = [
    [
      'cuts after every few bytes of an answer (T161)',
      { cutAfter: { direction: 'down', bytes: 700 } },
      'cut',
    ],
    ['cuts in the middle of requests (T161)', { cutAfter: { direction: 'up', bytes: 900 } }, 'cut'],
    ['resets of one piece in five', { resetChance: 0.2 }, 'reset'],
    ['every request twice', { duplicateChance: 1, duplicateWithinMs: 50 }, 'duplicated'],
    ['bytes in drops', { dribble: { bytes: 200, pauseMs: 2 } }, 'requests'],
    ['120 ms of latency', { latencyMs: 100, jitterMs: 20 }, 'requests'],
    ['no server at all', { refuse: true }, 'refused'],
  ];
  it.each(cases)('loses nothing with %s', async (_name, faults, count) => {
    await workUnder(faults, faults.refuse === true, count);
  });
});

// The client gives a silent peer up after 45 s for the socket of hints and 60 s for a request (T162).
const FULL = process.env['CAIRN_LONG_TESTS'] === '1';
describe('a half-open network (T162)', () => {
  it('is noticed within 60 s, and new connections take over', { timeout: 200_000 }, async ({ skip }) => {
    skip(!FULL, 'takes a minute; runs with CAIRN_LONG_TESTS=1');
    for (const { proxy } of [a, b]) proxy.set({ halfOpen: 'both' });
    const startMs = performance.now();
    a.user.writeFile('into-the-void', 'void');
    // The connections that were open stay dead; new ones work, as after a change of networks.
    await waitUntil('bytes were swallowed', async () =>
      a.proxy.counts.swallowedBytes > 0 ? null : 'not yet',
    );
    for (const { proxy } of [a, b]) proxy.heal();
    await waitUntil(
      'A noticed',
      async () =>
        (await b.status()) && b.user.describe().some((line) => line.startsWith('into-the-void'))
          ? null
          : 'not yet',
      120_000,
    );
    const seconds = (performance.now() - startMs) / 1000;
    console.log(`half-open: the change arrived after ${seconds.toFixed(1)} s`);
    expect(seconds).toBeLessThan(61);
    await settle(120_000);
  });
});
