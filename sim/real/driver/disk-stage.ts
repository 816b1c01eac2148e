import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemorySessionStore } from '@cairn/client';
import { createSystemEnvironment } from '@cairn/environment';
import { type Filesystem, openNodeFilesystem } from '@cairn/filesystem';
import { type RunningServer, startServer } from '@cairn/server';
import { openSqliteTreeStore, type TreeStore } from '@cairn/tree-store';
import { startFaultProxy } from '../fault-proxy/fault-proxy.ts';
import type { DeviceOptions } from '../scenario-schema.ts';
import { createEngineProcess } from './engine-process.ts';
import { createFolderUser, mountFolder, readRescued } from './folder-user.ts';
import { ACCOUNT, createTestClient, observe } from './http-view.ts';
import { NotHere, type Stage, type StageDevice } from './stage.ts';

const QUICK = { drainMs: 100, passwordCost: { memoryKib: 64, passes: 1, lanes: 1 } } as const;
const COMMITS = /^POST \/api\/v1\/spaces\/[^/]*\/changesets/;

export interface DiskDevice extends StageDevice {
  readonly folder: string;
}

export interface DiskStage extends Stage {
  addDevice(name: string, options: DeviceOptions): Promise<DiskDevice>;
}

/** The engine on real folders, the server over HTTP on loopback, all in this process. */
export async function createDiskStage(): Promise<DiskStage> {
  const environment = createSystemEnvironment();
  const work = realpathSync(mkdtempSync(join(tmpdir(), 'cairn-scenario-')));
  const data = join(work, 'server');
  let server: RunningServer | null = await startServer({ data, port: 0, ...QUICK });
  // The server may come back on another port; what talks to it does not see that.
  const window = await startFaultProxy(server.port, 'observer');
  const proxies = [window];
  const observer = await observe(window.url);
  async function startAgain(): Promise<void> {
    server ??= await startServer({ data, port: 0, ...QUICK });
    for (const proxy of proxies) proxy.retarget(server.port);
  }
  const closers: (() => Promise<void>)[] = [];
  const stopServer = async () => {
    await server?.stop();
    server = null;
  };

  async function addDevice(name: string, options: DeviceOptions): Promise<DiskDevice> {
    if (Object.keys(options).length > 0) throw new NotHere('disks of other kinds');
    const root = join(work, name);
    const state = join(work, `state-${name}.sqlite`);
    mkdirSync(root);
    const proxy = await startFaultProxy(server?.port ?? 0, name);
    proxies.push(proxy);
    const client = createTestClient(proxy.url, createMemorySessionStore(), 2);
    const session = await client.account.login({ ...ACCOUNT, deviceName: name });
    const process = createEngineProcess();
    let opened: { filesystem: Filesystem; trees: TreeStore } | null = null;
    let isOnline = true;

    async function end(isKill: boolean): Promise<void> {
      await process.end(isKill);
      await opened?.filesystem.close();
      opened?.trees.close();
      opened = null;
    }

    const device: DiskDevice = {
      name,
      folder: root,
      user: createFolderUser(root),
      get isRunning() {
        return process.isRunning;
      },
      get isOnline() {
        return isOnline;
      },
      async start() {
        await end(false);
        const filesystem = await openNodeFilesystem({ root, environment });
        const trees = openSqliteTreeStore({ path: state, rootId: session.rootId, environment }).store;
        opened = { filesystem, trees };
        process.start({ filesystem, trees, space: client.space(session), deviceName: name, environment });
      },
      stop: () => end(false),
      kill: () => end(true),
      cutPower: () => Promise.reject(new NotHere('power cuts')),
      async setOnline(online) {
        isOnline = online;
        if (online) proxy.heal();
        else {
          proxy.set({ refuse: true });
          proxy.breakAll('reset');
        }
        process.engine?.refresh();
      },
      loseDatabase() {
        for (const ending of ['', '-wal', '-shm']) rmSync(state + ending, { force: true });
      },
      async refresh() {
        process.engine?.refresh();
      },
      async confirm() {
        process.engine?.confirmDeletes();
      },
      async reject() {
        process.engine?.rejectDeletes();
      },
      async pause(paused) {
        if (paused) process.engine?.pause();
        else process.engine?.resume();
      },
      status: async () => process.engine?.status() ?? null,
      setMounted: (mounted) => mountFolder(root, mounted),
      setReadable() {
        throw new NotHere('unreadable folders: a superuser reads everything');
      },
      setFull() {
        throw new NotHere('full disks: their tests mount small ones');
      },
      setDeaf() {
        throw new NotHere('deaf watchers');
      },
      loseAnswers(count) {
        proxy.set({ loseAnswers: { request: COMMITS, times: count } });
      },
      rescued: async () => readRescued(root),
    };
    closers.push(async () => {
      await end(false);
      client.close();
    });
    return device;
  }

  return {
    view: observer.view,
    addDevice,
    server: {
      stop: stopServer,
      kill: stopServer,
      start: startAgain,
      async backUp() {
        await stopServer();
        rmSync(`${data}.copy`, { recursive: true, force: true });
        cpSync(data, `${data}.copy`, { recursive: true });
        await startAgain();
      },
      async restore() {
        await stopServer();
        restoreDatabase(data);
        await startAgain();
      },
    },
    async close() {
      for (const close of closers) await close();
      observer.client.close();
      for (const proxy of proxies) await proxy.close();
      await stopServer();
      rmSync(work, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/**
 * Puts the copy of the whole data folder back, as an administrator would who knows of nothing: the epoch that
 * came with the copy is the one in use, too.
 */
export function restoreDatabase(data: string): void {
  rmSync(data, { recursive: true, force: true });
  cpSync(`${data}.copy`, data, { recursive: true });
}
