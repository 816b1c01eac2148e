import { mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { subtractWire } from '../../world/network.ts';
import { readUsage, resetPeak } from '../../world/process-usage.ts';
import { createByteStream } from '../../world/seeded-random.ts';
import { type Context, openSite, type Site } from '../context.ts';
import type { Places, SizePoint, SizeStep } from '../points.ts';
import { hasBytes, makeParts, overwrite, requireSameSparseFile, writeSparseFile } from '../sparse-file.ts';
import { waitUntilAtRest, waitUntilTrue } from '../wait.ts';

const GIB = 1024 ** 3;
const OVERWRITTEN_BYTES = 4096;
/** Holes that were lost fill this, and not the disk of the machine. */
const DISK_BYTES = 16 * GIB;

/** A sparse file is moved into A's folder; then 4 KiB are written over its middle. */
export async function measureSize(sizeBytes: number, context: Context): Promise<SizePoint> {
  const { options, say } = context;
  const site = await openSite(context, {
    name: `size-${sizeBytes}`,
    diskBytes: DISK_BYTES,
    mostFiles: 10_000,
    wantsOwnDisk: true,
    countsWire: true,
    cachesFiles: false,
  });
  const { world, path } = site;
  const next = createByteStream(`size ${sizeBytes}`);
  const parts = makeParts(sizeBytes, next);
  const stage = join(path, 'stage');
  mkdirSync(stage);
  writeSparseFile(join(stage, 'large.bin'), sizeBytes, parts);
  const inA = join(world.deviceA.folder, 'large.bin');
  const inB = join(world.deviceB.folder, 'large.bin');

  const arrival = await measureStep(
    site,
    options.timeoutMs,
    () => renameSync(join(stage, 'large.bin'), inA),
    () => statSync(inB, { throwIfNoEntry: false })?.size === sizeBytes,
  );
  requireSameSparseFile(inA, inB, parts);
  say(`B has ${sizeBytes} bytes after ${arrival.seconds.toFixed(2)} s`);

  const middle = parts[parts.length >> 1] ?? parts[0];
  if (middle === undefined) throw new Error('a file of no bytes has no middle');
  const position = middle.position + (middle.bytes.length >> 1);
  const change = { position, bytes: next(Math.min(OVERWRITTEN_BYTES, sizeBytes - position)) };
  const overwritten = await measureStep(
    site,
    options.timeoutMs,
    () => overwrite(inA, change),
    () => hasBytes(inB, change),
  );
  const disk = requireSameSparseFile(inA, inB, [...parts, change]);
  return {
    sizeBytes,
    randomBytes: parts.reduce((total, { bytes }) => total + bytes.length, 0),
    arrival,
    overwrite: overwritten,
    diskBytes: { a: disk.own, b: disk.other },
  };
}

async function measureStep(
  { world, wire, settle }: Site,
  timeoutMs: number,
  act: () => void,
  hasArrived: () => boolean,
): Promise<SizeStep> {
  const devices = [world.deviceA, world.deviceB];
  const programs = { server: world.server, a: world.deviceA.daemon, b: world.deviceB.daemon };
  const read = (): Places<ReturnType<typeof readUsage>> => ({
    server: readUsage(programs.server.processId),
    a: readUsage(programs.a.processId),
    b: readUsage(programs.b.processId),
  });
  settle();
  for (const { processId } of Object.values(programs)) resetPeak(processId);
  const before = read();
  const wireBefore = wire.read();
  const startMs = performance.now();
  act();
  await waitUntilTrue(
    world,
    devices,
    timeoutMs,
    hasArrived,
    async () => 'B does not have the file as it should be',
  );
  const seconds = (performance.now() - startMs) / 1000;
  await waitUntilAtRest(world, devices, 1, timeoutMs);
  const after = read();
  const cpu = (place: keyof Places<unknown>) => after[place].cpuSeconds - before[place].cpuSeconds;
  return {
    seconds,
    wireBytes: subtractWire(wire.read(), wireBefore)?.bothHopsBytes ?? null,
    cpuSeconds: { server: cpu('server'), a: cpu('a'), b: cpu('b') },
    peakBytes: {
      server: after.server.peakRssBytes,
      a: after.a.peakRssBytes,
      b: after.b.peakRssBytes,
    },
  };
}
