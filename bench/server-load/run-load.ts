import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, createMemorySessionStore, createNodeTransport } from '@cairn/client';
import { createNodePlatform } from '@cairn/content';
import { createSystemEnvironment } from '@cairn/environment';
import type { Defer } from '../world/cleanup.ts';
import { readResidentBytes, readUsage } from '../world/process-usage.ts';
import type { DevicePlan, LoadAnswer, LoadPlan, LoadRequest, LoadResult } from './messages.ts';

export interface LoadOptions {
  readonly accounts: number;
  readonly committers: number;
  readonly followers: number;
  readonly processes: number;
  readonly seconds: number;
  readonly contentBytes: number;
  readonly pauseMs: number;
}

export interface LoadOutcome {
  readonly seconds: number;
  readonly results: readonly LoadResult[];
  readonly serverCpuSeconds: number;
  /** Resident memory of the server: a sample each half second. */
  readonly residentBytes: readonly number[];
  readonly errors: readonly string[];
}

const SAMPLE_MS = 500;

async function register(serverUrl: string, username: string, password: string): Promise<void> {
  const client = createClient({
    transport: createNodeTransport({ serverUrl }),
    store: createMemorySessionStore(),
    environment: createSystemEnvironment(),
    platform: createNodePlatform(),
  });
  await client.account.register({ username, password, deviceName: 'First' });
  client.close();
}

interface LoadProcess {
  ask(request: LoadRequest): Promise<LoadAnswer>;
  /** Lets it end, once it has answered. */
  end(): void;
}

function startProcess(defer: Defer): LoadProcess {
  const child: ChildProcess = fork(join(import.meta.dirname, 'load-process.ts'), {
    serialization: 'advanced',
  });
  defer(() => void child.kill());
  const ask = async (request: LoadRequest): Promise<LoadAnswer> => {
    const answered = once(child, 'message');
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`a process that makes load ended by itself (exit ${code})`);
    });
    child.send(request);
    const [answer] = (await Promise.race([answered, ended])) as [LoadAnswer];
    ended.catch(() => undefined);
    if (answer.kind === 'failed') throw new Error(answer.message);
    return answer;
  };
  return { ask, end: () => child.disconnect() };
}

/** New accounts on a server that runs, their devices at work for a while, and what came of it. */
export async function runLoad(
  server: { readonly url: string; readonly processId: number },
  name: string,
  options: LoadOptions,
  defer: Defer,
): Promise<LoadOutcome> {
  const password = `load ${name} load`;
  const usernames = Array.from({ length: options.accounts }, (_, index) => `${name}-${index}`);
  for (const username of usernames) await register(server.url, username, password);

  const devices = Array.from({ length: options.committers + options.followers }, (_, index): DevicePlan => {
    const role = index < options.committers ? 'committer' : 'follower';
    const username = usernames[index % usernames.length] as string;
    return { name: `${role} ${index}`, username, role };
  });
  const processes = Array.from({ length: options.processes }, () => startProcess(defer));
  const askAll = (request: LoadRequest): Promise<LoadAnswer[]> =>
    Promise.all(processes.map(({ ask }) => ask(request)));
  await Promise.all(
    processes.map(({ ask }, position) => {
      const plan: LoadPlan = {
        kind: 'plan',
        serverUrl: server.url,
        password,
        devices: devices.filter((_, index) => index % processes.length === position),
        contentBytes: options.contentBytes,
        pauseMs: options.pauseMs,
      };
      return ask(plan);
    }),
  );

  const residentBytes = [readResidentBytes(server.processId)];
  const cpuBefore = readUsage(server.processId).cpuSeconds;
  const startedAt = performance.now();
  await askAll({ kind: 'begin' });
  while (performance.now() - startedAt < options.seconds * 1000) {
    await sleep(SAMPLE_MS);
    residentBytes.push(readResidentBytes(server.processId));
  }
  await askAll({ kind: 'stop' });
  const seconds = (performance.now() - startedAt) / 1000;
  const serverCpuSeconds = readUsage(server.processId).cpuSeconds - cpuBefore;
  const results = (await askAll({ kind: 'finish' })) as LoadResult[];
  for (const { end } of processes) end();
  return {
    seconds,
    results,
    serverCpuSeconds,
    residentBytes,
    errors: [...results.flatMap(({ errors }) => errors), ...unreached(results)],
  };
}

/** Whoever follows must end where the commits did. */
function unreached(results: readonly LoadResult[]): string[] {
  const last = new Map<string, number>();
  for (const { spaces } of results) {
    for (const [spaceId, { lastSequence }] of Object.entries(spaces)) {
      last.set(spaceId, Math.max(last.get(spaceId) ?? 0, lastSequence));
    }
  }
  return results.flatMap(({ followerEnds }) =>
    followerEnds.flatMap(([spaceId, sequence]) =>
      sequence === last.get(spaceId)
        ? []
        : [`a follower is at ${sequence}, its space at ${last.get(spaceId)}`],
    ),
  );
}
