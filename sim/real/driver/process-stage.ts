import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CairnProgram, findFreePort, runCairn } from '@cairn/bench';
import type { Client } from '@cairn/client';
import type { SyncStatus } from '@cairn/sync-engine';
import { type FaultProxy, startFaultProxy } from '../fault-proxy/fault-proxy.ts';
import { askDaemon } from './daemon-socket.ts';
import { restoreDatabase } from './disk-stage.ts';
import { createFolderUser, mountFolder, readRescued } from './folder-user.ts';
import { ACCOUNT, observe } from './http-view.ts';
import { NotHere, type Stage, type StageDevice } from './stage.ts';

const ENDING_TRIES = 100;
const ENDING_POLL_MS = 50;
const COMMITS = /^POST \/api\/v1\/spaces\/[^/]*\/changesets/;

export interface ProcessDevice extends StageDevice {
  readonly folder: string;
  readonly daemon: CairnProgram;
  readonly proxy: FaultProxy;
}

export interface ProcessStage extends Stage {
  readonly serverProgram: CairnProgram;
  readonly serverData: string;
  /** The observer's. */
  readonly client: Client;
  addDevice(name: string, options: Parameters<Stage['addDevice']>[1]): Promise<ProcessDevice>;
}

/** `cairn serve` and `cairn sync` as processes of their own; each device reaches the server through a fault proxy. */
export async function createProcessStage(base = tmpdir()): Promise<ProcessStage> {
  const work = realpathSync(mkdtempSync(join(base, 'cairn-real-')));
  const data = join(work, 'server');
  const port = await findFreePort();
  const program = new CairnProgram({
    name: 'the server',
    words: ['serve', '--data', data, '--port', String(port)],
    variables: { CAIRN_LOG_LEVEL: 'warn' },
    logPath: join(work, 'server.log'),
    readyText: 'Cairn is running at',
  });
  await program.start();
  const observer = await observe(`http://127.0.0.1:${port}`);
  const devices: ProcessDevice[] = [];

  async function addDevice(name: string, options: Parameters<Stage['addDevice']>[1]): Promise<ProcessDevice> {
    if (Object.keys(options).length > 0) throw new NotHere('disks of other kinds');
    const folder = join(work, name);
    const home = join(work, `home-${name}`);
    mkdirSync(folder);
    const proxy = await startFaultProxy(port, name);
    const variables = { CAIRN_HOME: home, CAIRN_DEVICE: name, CAIRN_SERVER: proxy.url };
    await runCairn(['login', '--server', proxy.url, '--username', ACCOUNT.username], {
      ...variables,
      CAIRN_PASSWORD: ACCOUNT.password,
    });
    const daemon = new CairnProgram({
      name: `the daemon of ${name}`,
      words: ['sync', folder],
      variables,
      logPath: join(work, `daemon-${name}.log`),
      readyText: 'Syncing ',
    });
    let isOnline = true;
    const ask = (command: 'status' | 'refresh' | 'confirm' | 'reject' | 'pause' | 'resume') =>
      askDaemon(home, folder, command);
    const device: ProcessDevice = {
      name,
      folder,
      daemon,
      proxy,
      user: createFolderUser(folder),
      get isRunning() {
        return daemon.isRunning;
      },
      get isOnline() {
        return isOnline;
      },
      start: () => daemon.start(),
      stop: () => daemon.stop(),
      kill: () => daemon.kill(),
      cutPower: () => Promise.reject(new NotHere('power cuts')),
      async setOnline(online) {
        isOnline = online;
        if (online) proxy.heal();
        else {
          proxy.set({ refuse: true });
          proxy.breakAll('reset');
        }
        if (daemon.isRunning) await ask('refresh').catch(() => undefined);
      },
      loseDatabase() {
        for (const { linkId } of readLinks(home))
          rmSync(join(home, 'links', linkId), { recursive: true, force: true });
      },
      refresh: async () => void (await ask('refresh').catch(() => undefined)),
      confirm: async () => void (await ask('confirm')),
      reject: async () => void (await ask('reject')),
      pause: async (paused) => void (await ask(paused ? 'pause' : 'resume')),
      async status() {
        if (!daemon.isRunning) return null;
        try {
          return (await ask('status')) as SyncStatus;
        } catch (error) {
          // Its socket goes before it does.
          for (let tries = 0; tries < ENDING_TRIES && daemon.isRunning; tries++) await sleep(ENDING_POLL_MS);
          if (!daemon.isRunning) return null;
          throw error;
        }
      },
      setMounted: (mounted) => mountFolder(folder, mounted),
      setReadable() {
        throw new NotHere('unreadable folders: a superuser reads everything');
      },
      setFull() {
        throw new NotHere('full disks: their tests mount small ones');
      },
      setDeaf() {
        throw new NotHere('deaf watchers');
      },
      loseAnswers: (count) => proxy.set({ loseAnswers: { request: COMMITS, times: count } }),
      rescued: async () => readRescued(folder),
    };
    devices.push(device);
    return device;
  }

  return {
    view: observer.view,
    serverProgram: program,
    serverData: data,
    client: observer.client,
    addDevice,
    server: {
      stop: () => program.stop(),
      kill: () => program.kill(),
      async start() {
        if (!program.isRunning) await program.start();
      },
      async backUp() {
        await program.stop();
        rmSync(`${data}.copy`, { recursive: true, force: true });
        cpSync(data, `${data}.copy`, { recursive: true });
        await program.start();
      },
      async restore() {
        await program.stop();
        restoreDatabase(data);
        await program.start();
      },
    },
    async close() {
      for (const { daemon, proxy } of devices) {
        await daemon.stop();
        await proxy.close();
      }
      observer.client.close();
      await program.stop();
      rmSync(work, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function readLinks(home: string): { linkId: string; folder: string }[] {
  const path = join(home, 'links.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).links : [];
}
