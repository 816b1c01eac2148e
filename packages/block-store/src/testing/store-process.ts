/**
 * A process of its own that the tests kill: `node store-process.ts DIRECTORY FIRST-SEED [compact]`. It puts small packs for
 * ever and prints `ack SEED` for each block that was acknowledged, `deleted SEED` for each acknowledged delete,
 * and `refused CODE` when the folder is taken.
 */
import { writeSync } from 'node:fs';
import { isCairnError } from '@cairn/model';
import { makeBlock } from './blocks.ts';
import { openTestStore } from './segment-store.ts';

function say(line: string): void {
  // Straight to the pipe: what is said here was acknowledged, even if the next instant is the last.
  writeSync(1, `${line}\n`);
}

async function main(directory: string, firstSeed: number, compacts: boolean): Promise<void> {
  const store = await openTestStore(directory, { maxSegmentBytes: 200_000 });
  say('open');
  async function putForEver(lane: number): Promise<void> {
    for (let seed = firstSeed + lane; ; seed += 16) {
      const seeds = [seed, seed + 4, seed + 8, seed + 12];
      const locations = await store.put(seeds.map((each) => makeBlock(each, 100 + ((each * 7919) % 9000))));
      for (const each of seeds) say(`ack ${each}`);
      const doomed = locations[3];
      if (doomed !== undefined && (seed - lane - firstSeed) % 64 === 0) {
        say(`deleting ${seed + 12}`);
        await store.delete(doomed);
        say(`deleted ${seed + 12}`);
      }
    }
  }
  async function compactForEver(): Promise<void> {
    for (;;) {
      const { freedBytes } = await store.compact({ minGarbageRatio: 0.01 });
      if (freedBytes > 0) say('compacted');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  await Promise.all([...[0, 1, 2, 3].map(putForEver), ...(compacts ? [compactForEver()] : [])]);
}

main(process.argv[2] as string, Number(process.argv[3]), process.argv[4] === 'compact').catch(
  (error: unknown) => {
    say(`refused ${isCairnError(error) ? error.code : String(error)}`);
    process.exitCode = 3;
  },
);
