import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CairnProgram, findFreePort } from '@cairn/bench';
import { type Client, createMemorySessionStore } from '@cairn/client';
import { createTestClient } from '../driver/http-view.ts';
import { createServerClock, type ServerClock } from './server-clock.ts';

export const PASSWORD = 'correct horse battery';

/** One `cairn serve` with a calendar of its own, and the storage nodes it has, if any: all of them processes. */
export interface SoakServer {
  readonly url: string;
  readonly data: string;
  readonly clock: ServerClock;
  readonly program: CairnProgram;
  readonly nodes: readonly CairnProgram[];
  /** Signed in as the administrator. */
  readonly admin: Client;
  /** Resolves when the server and all nodes run, and the nodes are up and have all they ought to have. */
  untilWhole(): Promise<void>;
  stop(): Promise<void>;
}

/** Machines may be busy. */
const START_MS = 240_000;
const PREPARING_MS = 240_000;
const POLL_MS = 200;

export async function startSoakServer(work: string, nodeCount: number): Promise<SoakServer> {
  mkdirSync(work, { recursive: true });
  const data = join(work, 'server');
  const clock = createServerClock(join(work, 'clock'));
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const program = new CairnProgram({
    name: 'the server',
    runtimeFlags: ['--import', join(import.meta.dirname, 'shifted-clock.ts')],
    words: ['serve', '--data', data, '--port', String(port)],
    variables: {
      SOAK_CLOCK_FILE: clock.path,
      ...(nodeCount === 0 ? {} : { CAIRN_BLOCKS: `nodes:?replicas=${Math.min(3, nodeCount)}` }),
    },
    logPath: join(work, 'server.log'),
    readyText: 'Cairn is running at',
    startTimeoutMs: START_MS,
  });
  const nodes: CairnProgram[] = [];
  let admin: Client | null = null;

  async function stop(): Promise<void> {
    admin?.close();
    await program.stop();
    for (const node of nodes) await node.stop();
  }

  async function joinNode(client: Client, name: string): Promise<void> {
    const { token } = await client.admin.inviteNode();
    const words = ['node', '--data', join(work, name), '--listen', `127.0.0.1:${await findFreePort()}`];
    const options = { logPath: join(work, `${name}.log`), readyText: 'listens at', startTimeoutMs: START_MS };
    const joining = new CairnProgram({
      ...options,
      name,
      words: [...words, '--join', url],
      variables: { CAIRN_JOIN_TOKEN: token },
    });
    await joining.start();
    await joining.stop();
    const node = new CairnProgram({ ...options, name, words, variables: {} });
    nodes.push(node);
    await node.start();
  }

  async function whyNotWhole(client: Client): Promise<string | null> {
    const { nodes: states, repair } = await client.admin.nodes();
    const away = states.filter(({ state }) => state !== 'up');
    if (away.length > 0) return `${away.map(({ address, state }) => `${address} is ${state}`).join(', ')}`;
    const isOver = repair !== null && !repair.isRunning && repair.noted === 0;
    return isOver && repair.underReplicated <= repair.repaired ? null : `repair: ${JSON.stringify(repair)}`;
  }

  try {
    await program.start();
    const client = createTestClient(url, createMemorySessionStore());
    admin = client;
    await client.account.register({ username: 'admin', password: PASSWORD, deviceName: 'admin' });
    for (let index = 1; index <= nodeCount; index++) await joinNode(client, `node-${index}`);

    const server: SoakServer = {
      url,
      data,
      clock,
      program,
      nodes,
      admin: client,
      async untilWhole() {
        for (const each of [program, ...nodes]) if (!each.isRunning) await each.start();
        if (nodeCount === 0) return;
        const deadline = performance.now() + PREPARING_MS;
        for (let why = await whyNotWhole(client); why !== null; why = await whyNotWhole(client)) {
          if (performance.now() > deadline) throw new Error(`the nodes do not come to rest: ${why}`);
          await sleep(POLL_MS);
        }
      },
      stop,
    };
    await server.untilWhole();
    return server;
  } catch (error) {
    await stop();
    throw error;
  }
}
