import { createNodePlatform } from '@cairn/content';
import { createSystemEnvironment } from '@cairn/environment';
import { createMemoryFilesystem } from '@cairn/filesystem';
import { createMemoryTreeDisk } from '@cairn/tree-store';
import { createEngineProcess } from './engine-process.ts';
import { startMemoryServer } from './memory-server.ts';
import type { Stage, StageDevice } from './stage.ts';

/** Simulated disks, the real engine and services, nothing in between. */
export async function createMemoryStage(): Promise<Stage> {
  const environment = createSystemEnvironment();
  const server = await startMemoryServer(environment, createNodePlatform());
  const devices: StageDevice[] = [];

  async function addDevice(name: string, options: Parameters<Stage['addDevice']>[1]): Promise<StageDevice> {
    const unreadable = new Set<string>();
    const disk = createMemoryFilesystem({
      environment,
      capabilities: options.foldsNames === true ? { caseSensitive: false, unicodeSensitive: false } : {},
      ...(options.capacityBytes === undefined ? {} : { capacityBytes: options.capacityBytes }),
      ...(options.timeStepMs === undefined
        ? {}
        : { timeGranularityNs: BigInt(Math.round(options.timeStepMs * 1e6)) }),
      faults: (operation, path) =>
        ['list', 'openRead', 'status'].includes(operation) &&
        [...unreadable].some((each) => path === each || path.startsWith(`${each}/`))
          ? 'EACCES'
          : null,
    });
    const network = { online: true, lostAnswers: 0 };
    const space = server.connect(await server.signIn(name), network);
    let trees = createMemoryTreeDisk(server.rootId);
    const process = createEngineProcess();
    const device: StageDevice = {
      name,
      user: { ...disk.user, modifiedAtNs: (path) => disk.user.find(path)?.modifiedAtNs ?? 0n },
      get isRunning() {
        return process.isRunning;
      },
      get isOnline() {
        return network.online;
      },
      async start() {
        process.start({
          filesystem: disk.filesystem,
          trees: trees.open(),
          space,
          deviceName: name,
          environment,
        });
      },
      stop: () => process.end(false),
      async kill() {
        const ended = process.end(true);
        disk.restart();
        await ended;
      },
      async cutPower() {
        const ended = process.end(true);
        disk.crash();
        await ended;
      },
      async setOnline(online) {
        network.online = online;
        process.engine?.refresh();
      },
      loseDatabase() {
        trees = createMemoryTreeDisk(server.rootId);
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
      setMounted: (mounted) => disk.setRootPresent(mounted),
      setReadable(path, readable) {
        if (readable) unreadable.delete(path);
        else unreadable.add(path);
      },
      setFull: (full) => disk.setCapacity(full ? 0 : (options.capacityBytes ?? Number.POSITIVE_INFINITY)),
      setDeaf: (deaf) => disk.setHintsDropped(deaf),
      loseAnswers(count) {
        network.lostAnswers = count;
      },
      async rescued() {
        return disk.user.rescued();
      },
    };
    devices.push(device);
    return device;
  }

  return {
    view: server.view,
    server: server.control,
    addDevice,
    async close() {
      for (const device of devices) await device.stop();
      await server.close();
    },
  };
}
