import { checkRest } from '../checks/final.ts';
import { createDraw } from '../random.ts';
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
    letAct(world, device, createDraw(step.draw));
    const wanted = describeExactly(device.disk.user.walk());
    const names = device.disk.user.walk().map(({ path }) => path.normalize('NFC').toLowerCase());
    const clashes = new Set(names).size < names.length;
    await rest(world);
    await checkRest(world);
    if (clashes || script.ignores) continue;
    statistics.count('calm-act');
    for (const other of devices) {
      const actual = describeExactly(other.disk.user.walk());
      if (actual.join('\n') !== wanted.join('\n'))
        throw new Error(
          `[I10 I20 I21] ${device.name} alone did something, and ${other.name} does not have what it left:\n${wanted.join('\n')}\n--- but\n${actual.join('\n')}`,
        );
    }
  }
}

function describeExactly(
  items: readonly { readonly path: string; readonly kind: string; readonly bytes: Uint8Array | null }[],
): string[] {
  return items
    .map(
      ({ path, kind, bytes }) =>
        `${path.normalize('NFC')} ${kind} ${bytes === null ? '' : Buffer.from(bytes.subarray(0, 80)).toString('latin1')}`,
    )
    .sort();
}
