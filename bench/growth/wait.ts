import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askDaemonStatus } from '../world/daemon-status.ts';
import { type Device, describeStatus, type World } from '../world/two-device-world.ts';

const POLL_MS = 5;
/** Looking takes at most this share of the time: what is measured runs on the same processors. */
const LOOKING_SHARE = 0.2;
const IN_SYNC = '"state":"in-sync"';

/** Polls until something holds, seldom where looking takes long. Rejects when a program has ended or it takes too long. */
export async function waitUntilTrue(
  { server }: Pick<World, 'server'>,
  devices: readonly Device[],
  timeoutMs: number,
  holds: () => boolean | Promise<boolean>,
  describe: () => Promise<string>,
): Promise<void> {
  const programs = [server, ...devices.map(({ daemon }) => daemon)];
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const lookMs = performance.now();
    if (await holds()) return;
    for (const { name, isRunning, unexpectedEnds } of programs)
      if (!isRunning) throw new Error(unexpectedEnds.at(-1) ?? `${name} does not run`);
    const nowMs = performance.now();
    if (nowMs > deadline)
      throw new Error(`not so after ${Math.round(timeoutMs / 1000)} s: ${await describe()}`);
    await sleep(Math.max(POLL_MS, (nowMs - lookMs) / LOOKING_SHARE));
  }
}

/**
 * Starts the daemon of a device and waits until it is in sync with so many files. Its log is looked at until it says so,
 * since a status of many files costs the daemon time.
 * @returns seconds until it said so
 */
export async function startUntilInSync(
  world: World,
  device: Device,
  files: number,
  timeoutMs: number,
): Promise<number> {
  const before = sizeOf(findLog(device));
  const startMs = performance.now();
  let saidMs = startMs;
  let seenBytes = before;
  device.daemon.launch();
  await waitUntilTrue(
    world,
    [device],
    timeoutMs,
    async () => {
      const path = findLog(device);
      const size = sizeOf(path);
      if (path === null || size === seenBytes) return false;
      const nowMs = performance.now();
      const news = readFileSync(path).subarray(size < seenBytes ? 0 : seenBytes);
      seenBytes = size;
      if (!news.includes(IN_SYNC)) return false;
      saidMs = nowMs;
      const status = await askStatus(device);
      return status?.state === 'in-sync' && status.files === files;
    },
    async () => `${device.name}: ${describeStatus(await askStatus(device))}, of ${files} files`,
  );
  return (saidMs - startMs) / 1000;
}

/** Waits until every device says that it is in sync with so many files. */
export async function waitUntilAtRest(
  world: World,
  devices: readonly Device[],
  files: number,
  timeoutMs: number,
): Promise<void> {
  for (const device of devices) {
    await waitUntilTrue(
      world,
      [device],
      timeoutMs,
      async () => {
        const status = await askStatus(device);
        return status?.state === 'in-sync' && status.files === files;
      },
      async () => `${device.name}: ${describeStatus(await askStatus(device))}, of ${files} files`,
    );
  }
}

function askStatus(device: Device): ReturnType<typeof askDaemonStatus> {
  return askDaemonStatus(homeOf(device));
}

/** The log of the daemon, as JSON lines; `null` before its first start. */
function findLog(device: Device): string | null {
  const links = join(homeOf(device), 'links');
  const [link] = existsSync(links) ? readdirSync(links) : [];
  return link === undefined ? null : join(links, link, 'daemon.log');
}

function homeOf(device: Device): string {
  return device.variables['CAIRN_HOME'] ?? '';
}

function sizeOf(path: string | null): number {
  return path === null ? 0 : (statSync(path, { throwIfNoEntry: false })?.size ?? 0);
}
