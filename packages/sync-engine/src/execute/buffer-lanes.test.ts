import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createBufferLanes } from './buffer-lanes.ts';

function createGate(): { readonly passed: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

it('does as much side by side as there are lanes, and each buffer belongs to one of them', async () => {
  const lanes = createBufferLanes(2);
  const gates = Array.from({ length: 5 }, createGate);
  const inUse = new Set<ArrayBufferLike>();
  let begun = 0;
  const all = (async () => {
    for (const [index, gate] of gates.entries())
      await lanes.begin(10 + index, async (buffer) => {
        expect(buffer.length).toBe(10 + index);
        expect(inUse.has(buffer.buffer)).toBe(false);
        inUse.add(buffer.buffer);
        begun++;
        await gate.passed;
        inUse.delete(buffer.buffer);
      });
    await lanes.end();
  })();
  const order = [1, 0, 2, 4, 3];
  for (const [ended, index] of order.entries()) {
    await setImmediate();
    expect(begun).toBe(Math.min(5, ended + 2));
    gates[index]?.open();
  }
  await all;
  expect(inUse.size).toBe(0);
});

it('uses a buffer again where it is large enough', async () => {
  const lanes = createBufferLanes(1);
  const seen: ArrayBufferLike[] = [];
  for (const sizeBytes of [100, 40, 128, 129])
    await lanes.begin(sizeBytes, async (buffer) => void seen.push(buffer.buffer));
  await lanes.end();
  expect(seen.map((each) => each === seen[0])).toEqual([true, true, true, false]);
});

it('begins nothing after an error, which both calls tell, and waits for what is under way', async () => {
  const lanes = createBufferLanes(2);
  const gate = createGate();
  let ended = false;
  await lanes.begin(1, async () => {
    await gate.passed;
    ended = true;
  });
  await lanes.begin(1, async () => {
    throw new Error('the disk is full');
  });
  await expect(lanes.begin(1, async () => expect.unreachable())).rejects.toThrow('the disk is full');
  gate.open();
  await expect(lanes.end()).rejects.toThrow('the disk is full');
  expect(ended).toBe(true);
});
