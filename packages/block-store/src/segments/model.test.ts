import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlockId } from '@cairn/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlockLocation, BlockStore } from '../block-store.ts';
import { collect, makeBlock } from '../testing/blocks.ts';
import {
  damagePayload,
  dumpIndex,
  makeStoreDirectory,
  openTestStore,
  removeStoreDirectory,
} from '../testing/segment-store.ts';

const SETTINGS = { maxSegmentBytes: 2500 };
const SEEDS = 12;

/** What a block ought to be: how often it was written, and in what state it is. */
interface Expected {
  readonly generation: number;
  readonly state: 'live' | 'deleted' | 'damaged';
}

interface Real {
  readonly directory: string;
  store: BlockStore;
  /** The index as a loss of power now could leave it. */
  kept: ReadonlyMap<string, Buffer> | null;
}
type Model = Map<number, Expected>;
type Command = fc.AsyncCommand<Model, Real>;

const blockOf = (seed: number) => makeBlock(seed, (seed * 97) % 700);

function afterPut(model: Model, seed: number): Expected {
  const known = model.get(seed);
  if (known?.state === 'live') return known;
  return { generation: (known?.generation ?? 0) + 1, state: 'live' };
}

class Put implements Command {
  readonly packs: readonly (readonly number[])[];
  constructor(packs: readonly (readonly number[])[]) {
    this.packs = packs;
  }
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    const answers = await Promise.all(this.packs.map((seeds) => real.store.put(seeds.map(blockOf))));
    for (const seed of this.packs.flat()) model.set(seed, afterPut(model, seed));
    this.packs.forEach((seeds, index) => {
      expect(answers[index]?.map((location) => location.generation)).toEqual(
        seeds.map((seed) => model.get(seed)?.generation),
      );
    });
  }
  toString = () => `put(${JSON.stringify(this.packs)})`;
}

class Get implements Command {
  readonly seed: number;
  constructor(seed: number) {
    this.seed = seed;
  }
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    const block = blockOf(this.seed);
    const state = model.get(this.seed)?.state ?? 'deleted';
    if (state === 'damaged') {
      await expect(real.store.get(block.blockId)).rejects.toMatchObject({ code: 'data-damaged' });
      return;
    }
    const got = await real.store.get(block.blockId);
    if (state === 'deleted') expect(got).toBeNull();
    else expect(got).toEqual(block);
  }
  toString = () => `get(${this.seed})`;
}

class Delete implements Command {
  readonly seed: number;
  readonly behind: number;
  constructor(seed: number, behind: number) {
    this.seed = seed;
    this.behind = behind;
  }
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    const known = model.get(this.seed);
    const generation = (known?.generation ?? 1) - this.behind;
    const hits = known !== undefined && known.state !== 'deleted' && this.behind === 0;
    expect(await real.store.delete({ blockId: blockOf(this.seed).blockId, generation })).toBe(hits);
    if (hits) model.set(this.seed, { generation, state: 'deleted' });
  }
  toString = () => `delete(${this.seed}, -${this.behind})`;
}

/** Rot, and the read that finds it. */
class Rot implements Command {
  readonly seed: number;
  constructor(seed: number) {
    this.seed = seed;
  }
  check = (model: Readonly<Model>) =>
    model.get(this.seed)?.state === 'live' && blockOf(this.seed).plainBytes > 0;
  async run(model: Model, real: Real): Promise<void> {
    const { blockId } = blockOf(this.seed);
    await damagePayload(real.directory, blockId);
    await expect(real.store.get(blockId)).rejects.toMatchObject({ code: 'data-damaged' });
    model.set(this.seed, { generation: model.get(this.seed)?.generation as number, state: 'damaged' });
  }
  toString = () => `rot(${this.seed})`;
}

class Reopen implements Command {
  readonly withoutIndex: boolean;
  constructor(withoutIndex: boolean) {
    this.withoutIndex = withoutIndex;
  }
  check = () => true;
  async run(_model: Model, real: Real): Promise<void> {
    await real.store.close();
    real.kept = null;
    const before = dumpIndex(real.directory);
    if (this.withoutIndex) await rm(join(real.directory, 'index.sqlite'));
    real.store = await openTestStore(real.directory, SETTINGS);
    await real.store.close();
    if (!this.withoutIndex) expect(dumpIndex(real.directory)).toEqual(before);
    else expect(withoutUuidOfEmpty(dumpIndex(real.directory))).toEqual(withoutUuidOfEmpty(before));
    real.store = await openTestStore(real.directory, SETTINGS);
  }
  toString = () => `reopen(${this.withoutIndex ? 'without index' : ''})`;
}

const INDEX_FILES = ['index.sqlite', 'index.sqlite-wal'];

class KeepIndex implements Command {
  check = () => true;
  async run(_model: Model, real: Real): Promise<void> {
    const kept = new Map<string, Buffer>();
    for (const name of INDEX_FILES) kept.set(name, await readFile(join(real.directory, name)));
    real.kept = kept;
  }
  toString = () => 'keep the index';
}

/** The segments are as they were acknowledged, the index is behind them. What was seen of rot is seen again, later. */
class LosePower implements Command {
  check = (model: Readonly<Model>) => [...model.values()].every(({ state }) => state !== 'damaged');
  async run(_model: Model, real: Real): Promise<void> {
    if (real.kept === null) return;
    await real.store.close();
    for (const [name, bytes] of real.kept) await writeFile(join(real.directory, name), bytes);
    real.kept = null;
    real.store = await openTestStore(real.directory, SETTINGS);
  }
  toString = () => 'lose power';
}

/** A store without segments has its uuid from nowhere but the index. */
function withoutUuidOfEmpty(dump: unknown): unknown {
  const { segments, ...rest } = dump as { segments: unknown[]; meta: unknown };
  return segments.length === 0 ? null : { segments, ...rest };
}

/** Compaction, while some blocks are put and one is deleted. */
class Compact implements Command {
  readonly ratio: number;
  readonly pack: readonly number[];
  constructor(ratio: number, pack: readonly number[]) {
    this.ratio = ratio;
    this.pack = pack;
  }
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    const before = await real.store.usage();
    const compacting = real.store.compact({ minGarbageRatio: this.ratio });
    const locations = await real.store.put(this.pack.map(blockOf));
    for (const seed of this.pack) model.set(seed, afterPut(model, seed));
    const [doomed] = locations;
    if (doomed !== undefined && this.pack.length > 2) {
      expect(await real.store.delete(doomed)).toBe(true);
      model.set(this.pack[0] as number, { generation: doomed.generation, state: 'deleted' });
    }
    const report = await compacting;
    expect(report.stoppedBy).toBeNull();
    const after = await real.store.usage();
    if (this.pack.length === 0) {
      expect(after.blocks).toBe(before.blocks);
      expect(after.liveBytes).toBe(before.liveBytes);
    }
  }
  toString = () => `compact(${this.ratio}, ${JSON.stringify(this.pack)})`;
}

class Compare implements Command {
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    const live = [...model].filter(([, each]) => each.state === 'live');
    const listed = new Map<BlockId, BlockLocation>();
    for (const location of await collect(real.store.list())) listed.set(location.blockId, location);
    expect(listed.size).toBe(live.length);
    for (const [seed, { generation }] of live) {
      const { blockId, payload } = blockOf(seed);
      expect(listed.get(blockId)).toEqual({ blockId, generation, storedBytes: payload.length });
    }
    const got = await collect(real.store.getMany(live.map(([seed]) => blockOf(seed).blockId)));
    expect(got).toEqual(live.map(([seed]) => blockOf(seed)));
    const usage = await real.store.usage();
    expect(usage.blocks).toBe(live.length);
    expect(usage.liveBytes).toBeLessThanOrEqual(usage.diskBytes);
  }
  toString = () => 'compare';
}

describe('a segment store against a map', () => {
  it('agrees after any history of puts, deletes, rot, reopens and lost or older indexes', {
    timeout: 120_000,
  }, async () => {
    const seed = fc.integer({ min: 0, max: SEEDS - 1 });
    const pack = fc.array(seed, { maxLength: 6 });
    const commands = [
      fc.array(pack, { minLength: 1, maxLength: 3 }).map((packs) => new Put(packs)),
      fc.array(pack, { minLength: 1, maxLength: 3 }).map((packs) => new Put(packs)),
      seed.map((each) => new Get(each)),
      fc.tuple(seed, fc.constantFrom(0, 0, 0, 1, -1)).map(([each, behind]) => new Delete(each, behind)),
      seed.map((each) => new Rot(each)),
      fc.tuple(fc.constantFrom(0, 0.3, 0.5), pack).map(([ratio, each]) => new Compact(ratio, each)),
      fc.boolean().map((withoutIndex) => new Reopen(withoutIndex)),
      fc.constant(new KeepIndex()),
      fc.constant(new LosePower()),
      fc.constant(new Compare()),
    ];
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 40 }), async (history) => {
        const directory = await makeStoreDirectory();
        const real: Real = { directory, store: await openTestStore(directory, SETTINGS), kept: null };
        try {
          await fc.asyncModelRun(() => ({ model: new Map() as Model, real }), history);
        } finally {
          await real.store.close();
          await removeStoreDirectory(directory);
        }
      }),
      { numRuns: 90 },
    );
  });
});
