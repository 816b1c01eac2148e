import type { EntryId } from '@cairn/model';
import { checkRest } from '../checks/final.ts';
import { createDraw } from '../random.ts';
import type { Device } from '../world/device.ts';
import { rest } from './rest.ts';
import { letAct } from './steps.ts';
import type { World } from './world.ts';

/**
 * [I10 I20 I21] All is well and everybody has the same: now one user at a time does something, and every disk must
 * become exactly what that user left. What chaos before did to anybody's bookkeeping would show here.
 */
export async function playCalm(world: World): Promise<void> {
  const { script, devices, trace, statistics } = world;
  for (const step of script.calm) {
    const device = devices[step.device];
    if (device === undefined) continue;
    trace.tell(`now ${device.name} alone:`);
    const entries = entriesByPath(world);
    const words = letAct(world, device, createDraw(step.draw));
    const wanted = pictureOf(device);
    const before = statistics.counts.get('brake-rejected');
    await rest(world);
    await checkRest(world);
    const wasRejected = before !== statistics.counts.get('brake-rejected');
    if (wanted.clashes || wasRejected || script.ignores) continue;
    statistics.count('calm-act');
    expectPicture(world, wanted, `${device.name} alone did something`);
    if (words !== null && !device.isBlind) expectSameEntry(world, words, entries);
  }
}

/** What a user left, exactly. */
export interface Picture {
  readonly lines: readonly string[];
  /** Names that the server takes for one: then some have to change. */
  readonly clashes: boolean;
}

export function pictureOf(device: Device): Picture {
  const items = device.disk.user.walk();
  const names = items.map(({ path }) => path.normalize('NFC').toLowerCase());
  return {
    lines: items
      .map(({ path, kind, bytes }) => {
        const text = bytes === null ? '' : Buffer.from(bytes.subarray(0, 80)).toString('latin1');
        return `${path.normalize('NFC')} ${kind} ${text}`;
      })
      .sort(),
    clashes: new Set(names).size < names.length,
  };
}

/** Every disk is what the picture shows. */
export function expectPicture(world: World, wanted: Picture, because: string): void {
  for (const device of world.devices) {
    const actual = pictureOf(device).lines.join('\n');
    const expected = wanted.lines.join('\n');
    if (actual !== expected)
      throw new Error(
        `[I10 I20 I21] ${because}, and ${device.name} does not have what it left:\n${expected}\n--- but\n${actual}`,
      );
  }
}

function entriesByPath({ mirror }: World): Map<string, EntryId> {
  return new Map(
    [...mirror.paths(mirror.now)].map(([path, { entryId }]) => [path.normalize('NFC'), entryId]),
  );
}

/** A file that a program saved, in whatever way, is the file that it was: its versions stay with it. */
function expectSameEntry(world: World, words: string, before: ReadonlyMap<string, EntryId>): void {
  const saved = /^save (.*) \((\w+)\)/.exec(words);
  const path = saved?.[1]?.normalize('NFC');
  if (path === undefined) return;
  world.statistics.count(`save:${saved?.[2]}`);
  const after = entriesByPath(world).get(path);
  if (before.get(path) !== after) throw new Error(`[T107 T109] "${path}" is another entry after "${words}"`);
}
