import { createHash } from 'node:crypto';
import { createClient, createMemorySessionStore } from '@cairn/client';
import { createBrowserTransport } from '@cairn/client/browser';
import { createBrowserPlatform } from '@cairn/content/browser';
import { createSystemEnvironment } from '@cairn/environment';
import { signedInSchema } from '@cairn/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ClashPolicy, EngineReport, JobReport, UploadJob } from '../src/transfers/upload-types.ts';
import { createUploadEngine } from '../src/transfers/worker/upload-engine.ts';
import { type CairnServer, startCairn } from './testing/cairn-server.ts';

/** The worker's whole pipeline, on the browser's transport and platform (Node has `fetch`, `File` and Web Crypto). */
let server: CairnServer;
let world: Awaited<ReturnType<typeof createWorld>>;

beforeAll(async () => {
  server = await startCairn();
  world = await createWorld();
});
afterAll(() => server.stop());

async function createWorld() {
  const answer = await fetch(`${server.url}/api/v1/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'ann', password: 'correct horse battery staple', deviceName: 'Laptop' }),
  });
  const signedIn = signedInSchema.parse(await answer.json());
  const environment = createSystemEnvironment();
  const platform = createBrowserPlatform();
  const store = createMemorySessionStore({ ...signedIn, serverUrl: server.url, receivedAt: Date.now() });
  const transport = createBrowserTransport({ serverUrl: server.url });
  const client = createClient({ transport, store, environment, platform, maxAttempts: 2 });
  const session = await client.session();
  const seen = new Map<number, JobReport>();
  let engineReport: EngineReport = { state: 'idle', sentBytes: 0, skippedBytes: 0 };
  let wake = (): void => undefined;
  let nextId = 1;
  const engine = createUploadEngine({
    space: client.space(session),
    files: client.files,
    environment,
    platform,
    deviceName: 'Firefox on Linux',
    report({ jobs, engine: state }) {
      for (const job of jobs) seen.set(job.id, job);
      engineReport = state;
      wake();
    },
  });
  const parent = { entryId: session.rootId, path: '/' };

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  return {
    client,
    engine,
    parent,
    report: () => engineReport,
    stateOf: (id: number) => seen.get(id),
    until,
    job(
      path: string,
      content: BlobPart | null,
      policy: ClashPolicy = 'ask',
      lastModified = 1_700_000_000_000,
    ) {
      const job: UploadJob = {
        id: nextId++,
        kind: content === null ? 'folder' : 'file',
        relativePath: path,
        parent,
        policy,
        ...(content === null
          ? {}
          : { file: new File([content], path.split('/').at(-1) ?? '', { lastModified }) }),
      };
      return job;
    },
    async run(jobs: readonly UploadJob[]): Promise<JobReport[]> {
      engine.add(jobs);
      const over = ['done', 'failed', 'skipped', 'asking'];
      await until(() => jobs.every(({ id }) => over.includes(seen.get(id)?.state ?? '')));
      return jobs.map(({ id }) => seen.get(id) as JobReport);
    },
    async hashAt(path: string): Promise<string> {
      const { entryId, versionId } = await client.files.get(path);
      if (versionId === undefined) throw new Error(`${path} is no file`);
      return client.files.readVersion(entryId, versionId, async (pieces) => {
        const hash = createHash('sha256');
        for await (const piece of pieces) hash.update(piece);
        return hash.digest('hex');
      });
    },
  };
}

function bytesOf(seed: number, sizeBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes);
  let state = seed | 1;
  for (let index = 0; index < sizeBytes; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

test('folders, small files and large ones arrive as they were, and a second time nothing is sent', async () => {
  const contents = new Map<string, Uint8Array<ArrayBuffer>>([
    ['large.bin', bytesOf(1, 9_000_000)],
    ['tree/empty.txt', new Uint8Array()],
    ...Array.from({ length: 60 }, (_, index): [string, Uint8Array<ArrayBuffer>] => [
      `tree/folder ${index % 4}/ünï ${index}.bin`,
      bytesOf(index + 2, 500 + index * 97),
    ]),
  ]);
  const jobs = () => [
    ...[...contents].map(([path, bytes]) => world.job(path, bytes)),
    world.job('tree/nothing in it/deep', null),
  ];
  const first = await world.run(jobs());
  expect(first.filter(({ state }) => state !== 'done')).toEqual([]);
  for (const [path, bytes] of contents) expect(await world.hashAt(`/${path}`), path).toBe(hashOf(bytes));
  expect((await world.client.files.get('/tree/nothing in it/deep')).kind).toBe('folder');
  expect((await world.client.files.get('/large.bin')).modifiedAtUs).toBe(1_700_000_000_000_000);

  const sentBytes = world.report().sentBytes;
  const second = await world.run(jobs());
  const files = second.slice(0, -1);
  expect(new Set(files.map(({ state, note }) => `${state} ${note}`))).toEqual(new Set(['done unchanged']));
  expect(world.report().sentBytes).toBe(sentBytes);
});

test('a name that is taken is asked about, and each answer does what it says', async () => {
  const [old, replaced, both] = [bytesOf(90, 50_000), bytesOf(91, 60_000), bytesOf(92, 70_000)];
  await world.run([world.job('clash.txt', old)]);
  const asked = [
    world.job('clash.txt', replaced),
    world.job('CLASH.txt', both),
    world.job('clash.txt', 'no'),
  ];
  expect((await world.run(asked)).map(({ state }) => state)).toEqual(['asking', 'asking', 'asking']);
  const [replace, keep, skip] = asked.map(({ id }) => id) as [number, number, number];
  expect(world.stateOf(replace)?.clash?.sizeBytes).toBe(50_000);

  world.engine.answer([replace], 'replace');
  await world.until(() => world.stateOf(replace)?.state === 'done');
  world.engine.answer([keep], 'keep-both');
  await world.until(() => world.stateOf(keep)?.state === 'done');
  world.engine.answer([skip], 'skip');
  await world.until(() => world.stateOf(skip)?.state === 'skipped');

  expect(await world.hashAt('/clash.txt')).toBe(hashOf(replaced));
  expect(await world.hashAt('/CLASH (2).txt')).toBe(hashOf(both));
  const { entryId } = await world.client.files.get('/clash.txt');
  expect((await world.client.files.versions(entryId)).map(({ sizeBytes }) => sizeBytes)).toEqual([
    60_000, 50_000,
  ]);
});

test('an answer is not taken for what somebody else saved since', async () => {
  await world.run([world.job('moving.txt', 'one')]);
  const job = world.job('moving.txt', 'mine, longer');
  await world.run([job]);
  await world.client.files.putContent('/moving.txt', bytesOf(5, 100));
  world.engine.answer([job.id], 'replace');
  await world.until(() => world.stateOf(job.id)?.clash?.sizeBytes === 100);
  expect(world.stateOf(job.id)?.state).toBe('asking');
  expect((await world.client.files.get('/moving.txt')).sizeBytes).toBe(100);
});

test('what cannot be uploaded fails alone and says why; what is cancelled leaves nothing', async () => {
  const results = await world.run([
    world.job('.cairn/x', 'private'),
    world.job(`${'long'.repeat(80)}.txt`, 'long'),
    world.job('fine.txt', 'fine'),
  ]);
  expect(results.map(({ state, failure }) => failure?.code ?? state)).toEqual([
    'bad-name',
    'bad-name',
    'done',
  ]);

  world.engine.pause();
  const job = world.job('cancelled.bin', bytesOf(8, 3_000_000));
  world.engine.add([job]);
  await world.until(() => world.report().state === 'paused');
  world.engine.cancel([job.id]);
  world.engine.resume();
  await world.until(() => world.stateOf(job.id)?.state === 'skipped' && world.report().state === 'idle');
  await expect(world.client.files.get('/cancelled.bin')).rejects.toMatchObject({ code: 'not-found' });
});

test('two of the same name in one drop both stay, and a file never takes the place of a folder', async () => {
  await world.run([world.job('place', null)]);
  const results = await world.run([
    world.job('twin/a.txt', 'one'),
    world.job('twin/A.txt', 'two, longer'),
    world.job('place', 'a file'),
  ]);
  expect(results.map(({ state, note }) => `${state} ${note ?? ''}`.trim()).sort()).toEqual([
    'done',
    'done renamed',
    'done renamed',
  ]);
  expect((await world.client.files.get('/place')).kind).toBe('folder');
  expect((await world.client.files.get('/place (2)')).kind).toBe('file');
  const names: string[] = [];
  for await (const { name } of world.client.files.list('/twin')) names.push(name);
  expect(names).toHaveLength(2);
});
