import { createSystemEnvironment } from '@cairn/environment';
import { type BlockId, shardIdOf } from '@cairn/model';
import type { BlockStore } from '../block-store.ts';
import { describeBlockStore } from '../contract.ts';
import { repairBlocks } from '../replicated/repair-blocks.ts';
import { createReplicatedBlockStore } from '../replicated/replicated-block-store.ts';
import { CODE_ALL } from '../testing/coded-cluster.ts';
import { createTestNodes } from '../testing/replica-nodes.ts';

const environment = createSystemEnvironment();

/** A cluster of which each put is coded before anything else is asked: whatever the port promises holds for shards. */
for (const count of [6, 8]) {
  describeBlockStore(`shards on ${count} nodes`, async () => {
    const nodes = createTestNodes(count);
    let codedBlocks = 0;
    const store = createReplicatedBlockStore({
      nodes,
      environment,
      verify: () => true,
      codedBlocks: () => codedBlocks,
    });

    async function codeAll(): Promise<void> {
      const ids: BlockId[] = [];
      for await (const { blockId } of store.list()) ids.push(blockId);
      async function* pages() {
        yield ids;
      }
      const options = { nodes, environment, replicas: 3, verify: () => true };
      const report = await repairBlocks({ ...options, rebalance: true, coding: CODE_ALL }, pages());
      codedBlocks = report.codedBlocks;
      if (report.failedCopies > 0) throw new Error('not everything was coded');
    }

    const coded: BlockStore = {
      ...store,
      async put(blocks, above) {
        const locations = await store.put(blocks, above);
        await store.usage();
        // Shards that were there are brought to the generation of what was put, then that goes.
        for (let round = 0; round < 2; round++) await codeAll();
        return locations;
      },
    };
    return {
      store: coded,
      reopen: null,
      copies: 6,
      takes: 1.5,
      rewrites: true,
      async damage(blockId) {
        for (const { memory } of nodes.nodes) {
          for (const index of [0, 1, 2, 3, 4, 5]) {
            const shardId = shardIdOf(blockId, index);
            if ((await memory.has([shardId]))[0] === true) memory.damage(shardId);
          }
        }
      },
      dispose: () => store.close(),
    };
  });
}
