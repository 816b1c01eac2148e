import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CairnProgram, runCairn, type Variables } from './cairn-program.ts';
import { findFreePort } from './counting-proxy.ts';

const SETTLE_POLL_MS = 300;
/** As `apps/cli/src/tune-runtime.ts` would set them: without these a profile shows mostly the collection of garbage. */
const BUFFER_FLAGS = [
  '--external-memory-accounted-in-global-limit',
  '--external-memory-max-growing-factor=1.05',
] as const;
const TUNED_FLAGS = {
  server: ['--max-semi-space-size=2', '--heap-growing-percent=100', ...BUFFER_FLAGS],
  device: ['--max-semi-space-size=4', '--heap-growing-percent=30', ...BUFFER_FLAGS],
} as const;
const TUNED_VARIABLES: Variables = { CAIRN_TUNED: '1', MALLOC_ARENA_MAX: '2', UV_THREADPOOL_SIZE: '16' };

export interface Device {
  readonly name: string;
  /** The folder it syncs. */
  readonly folder: string;
  readonly daemon: CairnProgram;
  readonly variables: Variables;
}

/** The part of `cairn sync status --json` that is looked at. */
export interface DeviceStatus {
  readonly state: string;
  /** Files that disk and server agree on, links included. */
  readonly files: number;
  readonly pending: Readonly<Record<string, number>>;
  readonly trouble: { readonly code: string; readonly message: string } | null;
  readonly held: { readonly count: number; readonly total: number } | null;
  readonly problems: readonly { readonly path: string; readonly code: string; readonly message: string }[];
  readonly issues: readonly { readonly path: string; readonly code: string }[];
}

export interface World {
  readonly server: CairnProgram;
  readonly serverData: string;
  /** For clients that are no daemons. */
  readonly account: { readonly serverUrl: string; readonly username: string; readonly password: string };
  readonly deviceA: Device;
  readonly deviceB: Device;
  /** Signs another device in, with a new, empty folder; its daemon is not started. */
  signIn(name: string): Promise<Device>;
  /** Signs another device in and starts to sync its new, empty folder. */
  addDevice(name: string): Promise<Device>;
  stop(): Promise<void>;
}

export interface WorldOptions {
  /** The port under which a device finds the server's; the same unless told. */
  readonly connect?: (name: string, serverPort: number) => Promise<number>;
  /** Folder for CPU profiles, one for each process that ends in an orderly way. */
  readonly profileFolder?: string | null;
  /** For the runtime of each process. */
  readonly runtimeFlags?: readonly string[];
}

/**
 * A server and two devices of one account with an empty folder each, as processes of their own.
 * @param root folder for all their files
 */
export async function startWorld(root: string, options: WorldOptions = {}): Promise<World> {
  const { connect = async (_name, port) => port, profileFolder = null, runtimeFlags = [] } = options;
  const profile = (name: string) =>
    profileFolder === null
      ? runtimeFlags
      : [
          ...runtimeFlags,
          ...TUNED_FLAGS[name === 'server' ? 'server' : 'device'],
          '--cpu-prof',
          `--cpu-prof-dir=${profileFolder}`,
          `--cpu-prof-name=${name}.cpuprofile`,
        ];
  // A process that replaces itself while it is profiled may be ended by the profiler's last signal.
  const profiled: Variables = profileFolder === null ? {} : TUNED_VARIABLES;
  const serverPort = await findFreePort();
  const serverData = join(root, 'server');
  const account = {
    serverUrl: `http://127.0.0.1:${serverPort}`,
    username: 'bench',
    password: randomBytes(18).toString('base64url'),
  };
  const devices: Device[] = [];
  const server = new CairnProgram({
    name: 'the server',
    words: ['serve', '--data', serverData, '--port', String(serverPort)],
    runtimeFlags: profile('server'),
    variables: { CAIRN_LOG_LEVEL: 'warn', ...profiled },
    logPath: join(root, 'server.log'),
    readyText: 'Cairn is running at',
  });

  async function stop(): Promise<void> {
    for (const { daemon } of devices) await daemon.stop();
    await server.stop();
  }

  async function signIn(name: string): Promise<Device> {
    const home = join(root, `home-${name}`);
    const folder = join(root, `folder-${name}`);
    const variables = { CAIRN_HOME: home, CAIRN_DEVICE: `Device ${name.toUpperCase()}` };
    const daemon = new CairnProgram({
      name: `the daemon of ${name}`,
      words: ['sync', folder],
      runtimeFlags: profile(name),
      variables: { ...variables, ...profiled },
      logPath: join(root, `daemon-${name}.log`),
      readyText: 'Syncing ',
    });
    const device = { name, folder, daemon, variables };
    devices.push(device);
    mkdirSync(folder);
    const command = devices.length === 1 ? 'signup' : 'login';
    const url = `http://127.0.0.1:${await connect(name, serverPort)}`;
    await runCairn([command, '--server', url, '--username', account.username], {
      ...variables,
      CAIRN_PASSWORD: account.password,
    });
    return device;
  }

  async function addDevice(name: string): Promise<Device> {
    const device = await signIn(name);
    await device.daemon.start();
    return device;
  }

  try {
    await server.start();
    const deviceA = await addDevice('a');
    const deviceB = await addDevice('b');
    return { server, serverData, account, deviceA, deviceB, signIn, addDevice, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export async function readStatus(device: Device): Promise<DeviceStatus | null> {
  const text = await runCairn(['sync', 'status', device.folder, '--json'], device.variables);
  const { folders } = JSON.parse(text) as { folders: { status: DeviceStatus | null }[] };
  return folders[0]?.status ?? null;
}

/** Lets held deletes go ahead, if there are any. */
export async function confirmHeld(device: Device): Promise<void> {
  await runCairn(['sync', 'confirm', device.folder], device.variables);
}

/** Waits until every device says that it has nothing to do. Rejects with what they say when it takes longer. */
export async function waitUntilInSync(devices: readonly Device[], timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const statuses: (DeviceStatus | null)[] = [];
    for (const device of devices) statuses.push(await readStatus(device));
    if (statuses.every((status) => status?.state === 'in-sync')) return;
    if (performance.now() > deadline) {
      const said = devices.map(({ name }, index) => `${name}: ${describeStatus(statuses[index] ?? null)}`);
      throw new Error(`not in sync after ${Math.round(timeoutMs / 1000)} s\n${said.join('\n')}`);
    }
    await sleep(SETTLE_POLL_MS);
  }
}

export function describeStatus(status: DeviceStatus | null): string {
  if (status === null) return 'not running';
  const { state, pending, trouble, held, problems, issues } = status;
  return JSON.stringify({
    state,
    pending,
    trouble,
    held,
    problems: problems.slice(0, 5),
    issues: issues.slice(0, 5),
  });
}
