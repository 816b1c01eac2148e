import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { startCountingProxy, type WireBytes } from './counting-proxy.ts';

/** Tells a process that it is already in a network of its own. */
const MARK = 'CAIRN_BENCH_NETWORK';
const BRING_UP = 'ip link set lo up';

/** How bytes on the wire are counted, outside of the programs that send them. */
export type WireCounting = 'kernel' | 'proxy' | 'none';

const COUNTING_WORDS: Readonly<Record<WireCounting, string>> = {
  kernel: 'what the kernel counts on the loopback interface of a network of its own, IP headers included',
  proxy: 'what proxies between the devices and the server count, TCP payload only; they take CPU time',
  none: 'not counted',
};

export interface WireReading {
  /** From A to the server, and from the server to B, and all answers. */
  readonly bothHopsBytes: number;
  /** Each hop by itself, as TCP payload; only where proxies count. */
  readonly hops: Readonly<Record<'a' | 'b', WireBytes>> | null;
}

/** What one server and its two devices send each other. */
export interface Wire {
  /** The port under which a device finds the one given. */
  connect(device: 'a' | 'b', port: number): Promise<number>;
  /** Since the start; `null` where nothing counts. */
  read(): WireReading | null;
  close(): Promise<void>;
}

/**
 * Runs this command again in a network namespace that has a loopback interface and nothing else, so that the kernel's
 * counter of that interface is what the measured programs sent, and nothing that they do can leave the machine. Does
 * not return when it succeeds, unless it already has.
 * @returns whether this process is in such a namespace; false where the system or its rights do not allow one
 */
function enterOwnNetwork(): boolean {
  if (process.env[MARK] === 'own') return true;
  if (process.platform !== 'linux' || process.execve === undefined) return false;
  const enter = `exec ${enterCommand()}`;
  if (spawnSync('/bin/sh', ['-c', enter, 'sh', 'true'], { stdio: 'ignore' }).status !== 0) return false;
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.execve('/bin/sh', ['sh', '-c', enter, 'sh', ...command], {
    ...process.env,
    [MARK]: 'own',
  } as NodeJS.ProcessEnv);
  return false;
}

export function describeCounting(counting: WireCounting): string {
  return COUNTING_WORDS[counting];
}

/**
 * What can be had of what was asked for. Does not return where the command is run again: see {@link enterOwnNetwork}.
 * @throws Error where the kernel is to count and the system does not allow it
 */
export function chooseCounting(asked: WireCounting | 'auto'): WireCounting {
  if (asked === 'proxy' || asked === 'none') return asked;
  if (enterOwnNetwork()) return 'kernel';
  if (asked === 'kernel')
    throw new Error('this system allows no network of its own (it takes unshare, ip, and the right to)');
  return 'proxy';
}

/** Shell words that run their arguments as the same user in such a namespace. */
function enterCommand(): string {
  const user = process.getuid?.() ?? 0;
  if (user === 0) return `unshare -n -- sh -c '${BRING_UP} && exec "$@"' sh "$@"`;
  // Others are root in there for a moment; rsync's daemon, for one, believes that it then may do what root may.
  const back = `unshare --user --map-user=${user} --map-group=${process.getgid?.() ?? user} --`;
  return `unshare -rn -- sh -c '${BRING_UP} && exec ${back} "$@"' sh "$@"`;
}

export function createWire(counting: WireCounting): Wire {
  return counting === 'proxy' ? createProxyWire() : createKernelWire(counting === 'kernel');
}

function createKernelWire(counts: boolean): Wire {
  return {
    connect: async (_device, port) => port,
    read: () =>
      counts
        ? { bothHopsBytes: parseLoopbackBytes(readFileSync('/proc/self/net/dev', 'utf8')), hops: null }
        : null,
    close: async () => undefined,
  };
}

function createProxyWire(): Wire {
  const proxies: { device: 'a' | 'b'; proxy: Awaited<ReturnType<typeof startCountingProxy>> }[] = [];
  const sum = (device: 'a' | 'b'): WireBytes => {
    const readings = proxies.filter((each) => each.device === device).map(({ proxy }) => proxy.bytes());
    return {
      up: readings.reduce((total, { up }) => total + up, 0),
      down: readings.reduce((total, { down }) => total + down, 0),
    };
  };
  return {
    async connect(device, port) {
      const proxy = await startCountingProxy(port);
      proxies.push({ device, proxy });
      return proxy.port;
    },
    read() {
      const hops = { a: sum('a'), b: sum('b') };
      return { bothHopsBytes: hops.a.up + hops.a.down + hops.b.up + hops.b.down, hops };
    },
    async close() {
      for (const { proxy } of proxies.splice(0)) await proxy.close();
    },
  };
}

/**
 * Bytes that the loopback interface has passed on, IP headers included.
 * @param text of /proc/net/dev
 */
export function parseLoopbackBytes(text: string): number {
  const line = /^\s*lo:\s*(\d+)\s/m.exec(text);
  if (line === null) throw new Error('/proc/net/dev names no loopback interface');
  return Number(line[1]);
}

/** What was sent between two readings. */
export function subtractWire(after: WireReading | null, before: WireReading | null): WireReading | null {
  if (after === null || before === null) return null;
  const subtract = (device: 'a' | 'b') => ({
    up: (after.hops?.[device].up ?? 0) - (before.hops?.[device].up ?? 0),
    down: (after.hops?.[device].down ?? 0) - (before.hops?.[device].down ?? 0),
  });
  return {
    bothHopsBytes: after.bothHopsBytes - before.bothHopsBytes,
    hops: after.hops === null ? null : { a: subtract('a'), b: subtract('b') },
  };
}
