import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSegmentBlockStore, type SegmentBlockStore, type StoreKey } from '@cairn/block-store';
import { blockIdOf, createNodePlatform, encodeBlock } from '@cairn/content';
import { createSimulatedEnvironment, type SimulatedEnvironment } from '@cairn/environment';
import { DRILL_CANARY_MARK } from '@cairn/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDrillFaults, type DrillFaults } from './drill-faults.ts';

const platform = createNodePlatform();
const canaryOf = (rest: Uint8Array) =>
  encodeBlock(platform, 'chunk', Buffer.concat([Buffer.from(DRILL_CANARY_MARK), rest]));
const REFUSED = { code: 'precondition-failed' };

describe.each([
  ['open', null],
  ['sealed', { current: randomBytes(32) }],
] as [string, StoreKey | null][])('faults of a node whose blocks are %s', (_, key) => {
  let directory: string;
  let environment: SimulatedEnvironment;
  let segments: SegmentBlockStore;
  let faults: DrillFaults;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cairn-drill-faults-'));
    environment = createSimulatedEnvironment({ seed: 1 });
    segments = await openSegmentBlockStore({
      directory,
      environment,
      reserveBytes: 64 * 1024,
      ...(key === null ? {} : { key }),
    });
    faults = createDrillFaults({ segments, platform, environment });
  });
  afterEach(async () => {
    await segments.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function allBytes(): Promise<Buffer> {
    const folder = join(directory, 'segments');
    const names = (await readdir(folder)).sort();
    return Buffer.concat(await Promise.all(names.map((name) => readFile(join(folder, name)))));
  }

  test('damage one bit of a canary, whatever its codec, and the node notices', async () => {
    const raw = canaryOf(randomBytes(5000));
    const compressed = canaryOf(Buffer.alloc(5000, 'x'));
    expect([raw.codec, compressed.codec]).toEqual(['raw', 'zstd']);
    const others = [1, 2].map((byte) => encodeBlock(platform, 'chunk', Buffer.alloc(3000, byte)));
    await segments.put([others[0] as never, raw, compressed, others[1] as never]);
    for (const canary of [raw, compressed]) {
      const before = await allBytes();
      await faults.damageCanary(canary.blockId);
      const after = await allBytes();
      const changed = [...after].filter((byte, place) => byte !== before[place]).length;
      expect([after.length, changed]).toEqual([before.length, 1]);
      await expect(segments.get(canary.blockId)).rejects.toMatchObject({ code: 'data-damaged' });
      await expect(faults.damageCanary(canary.blockId)).rejects.toMatchObject({ code: 'data-damaged' });
      await segments.put([canary]);
      expect((await segments.get(canary.blockId))?.blockId).toBe(canary.blockId);
    }
    for (const other of others) expect((await segments.get(other.blockId))?.blockId).toBe(other.blockId);
  });

  test('leave alone what is no canary', async () => {
    const nearly = encodeBlock(
      platform,
      'chunk',
      Buffer.from(`${DRILL_CANARY_MARK.slice(0, -1)}, which this is not`),
    );
    const within = encodeBlock(platform, 'chunk', Buffer.from(`not first: ${DRILL_CANARY_MARK}`));
    const short = encodeBlock(platform, 'chunk', Buffer.from('cairn'));
    const claims = {
      ...canaryOf(randomBytes(10)),
      blockId: blockIdOf(platform, 'chunk', Buffer.from('else')),
    };
    await segments.put([nearly, within, short, claims]);
    const before = await allBytes();
    for (const { blockId } of [nearly, within, short])
      await expect(faults.damageCanary(blockId)).rejects.toMatchObject(REFUSED);
    // Its bytes are a canary's, and its id is that of something else.
    await expect(faults.damageCanary(claims.blockId)).rejects.toMatchObject({ code: 'block-wrong' });
    await expect(faults.damageCanary(canaryOf(randomBytes(9)).blockId)).rejects.toMatchObject(REFUSED);
    expect((await allBytes()).equals(before)).toBe(true);
  });

  test('report the node as full until the time is over', async () => {
    expect(faults.refusal()).toBeNull();
    faults.reportFull(5_000);
    await environment.advance(4_999);
    expect(faults.refusal()).toContain('drill');
    await environment.advance(1);
    expect(faults.refusal()).toBeNull();
    faults.reportFull(5_000);
    faults.reportFull(0);
    expect(faults.refusal()).toBeNull();
  });
});
