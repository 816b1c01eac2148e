import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CairnProgram } from '../world/cairn-program.ts';
import { readThreadSeconds } from '../world/process-usage.ts';
import { createByteStream, createSeededRandom } from '../world/seeded-random.ts';
import type { Device, World } from '../world/two-device-world.ts';
import type { Edits } from './points.ts';
import { waitUntilTrue } from './wait.ts';

const BYTES = 1024;
/** Left out: the first ones find cold code. */
const WARM_UPS = 2;
/** Before each edit, plus up to half as much: at no fixed distance from anybody's timers. */
const REST_MS = 700;
/** More of it for each device: they share the processors. */
const REST_OF_DEVICE_MS = 40;
const LONGEST_MS = 120_000;

export interface EditPlan {
  readonly world: World;
  readonly sender: Device;
  readonly receivers: readonly Device[];
  /** The file, relative; its folder is there on all of them. */
  readonly path: string;
  readonly samples: number;
}

/** Writes 1 KiB over a file, again and again, each time when the last is everywhere and a while has passed. */
export async function measureEdits(plan: EditPlan): Promise<Edits> {
  const { world, sender, receivers, samples } = plan;
  const random = createSeededRandom('edits');
  const next = createByteStream('edits');
  const restMs = REST_MS + REST_OF_DEVICE_MS * receivers.length;
  const rest = () => sleep(restMs * (1 + 0.5 * random.fraction()));
  const samplesMs: number[] = [];
  const firstMs: number[] = [];
  const readCpu = () => ({
    server: cpuOf(world.server),
    sender: cpuOf(sender.daemon),
    receiver: receivers.reduce((total, { daemon }) => total + cpuOf(daemon), 0) / receivers.length,
  });

  for (let index = 0; index < WARM_UPS; index++) {
    await rest();
    await carry(plan, next(BYTES));
  }
  await rest();
  const before = readCpu();
  for (let index = 0; index < samples; index++) {
    const { firstMs: first, lastMs } = await carry(plan, next(BYTES));
    firstMs.push(first);
    samplesMs.push(lastMs);
    await rest();
  }
  const after = readCpu();
  const perEdit = (name: keyof typeof before) => ((after[name] - before[name]) * 1000) / samples;
  return {
    samplesMs,
    firstMs,
    cpuMs: { server: perEdit('server'), sender: perEdit('sender'), receiver: perEdit('receiver') },
  };
}

/** @returns milliseconds from `close` until the first, and until the last of the receivers had the bytes */
async function carry(
  { world, sender, receivers, path }: EditPlan,
  bytes: Buffer,
): Promise<{ firstMs: number; lastMs: number }> {
  const descriptor = openSync(join(sender.folder, path), 'w');
  writeSync(descriptor, bytes);
  closeSync(descriptor);
  const closedAtMs = performance.now();
  let firstMs: number | null = null;
  let waiting = [...receivers];
  await waitUntilTrue(
    world,
    [sender, ...receivers],
    LONGEST_MS,
    () => {
      waiting = waiting.filter(({ folder }) => !holds(join(folder, path), bytes));
      if (waiting.length < receivers.length) firstMs ??= performance.now() - closedAtMs;
      return waiting.length === 0;
    },
    async () => `${waiting.length} devices do not have an edit of ${path}`,
  );
  const lastMs = performance.now() - closedAtMs;
  return { firstMs: firstMs ?? lastMs, lastMs };
}

function holds(path: string, bytes: Buffer): boolean {
  try {
    return readFileSync(path).equals(bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function cpuOf(program: CairnProgram): number {
  return process.platform === 'linux' ? readThreadSeconds(program.processId) : 0;
}
