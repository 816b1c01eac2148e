import type { PlantedBug } from '../planted-bug.ts';

const CODED = 'tests:packages/block-store/src/coded';

/** Of old blocks that become shards and come back. */
export const CODING_BUGS: readonly PlantedBug[] = [
  {
    name: 'coding-believes-what-it-wrote',
    harm: 'the replicas of a block are deleted although a disk did not keep the shards it was given',
    file: 'packages/block-store/src/coded/mend-shards.ts',
    find: '  if (bad.length > 0) return false;\n',
    replace: '',
    detectors: [CODED],
  },
  {
    name: 'coding-mixes-shards-of-two-makings',
    harm: 'a block that was compressed in two ways cannot be read, though enough shards are there',
    file: 'packages/block-store/src/coded/coded-get.ts',
    find: '        const set = sets.get(shard.set) ?? new Map<number, Shard>();\n        sets.set(shard.set, set.set(shard.index, shard));',
    replace:
      "        const set = sets.get('') ?? new Map<number, Shard>();\n        sets.set('', set.set(shard.index, shard));",
    detectors: [CODED],
  },
  {
    name: 'coding-begins-generations-anew',
    harm: 'a delete that was meant for an older writing takes the shards of a newer one',
    file: 'packages/block-store/src/coded/mend-shards.ts',
    find: '  const least = generationOf(holding) - 1;\n',
    replace: '  const least = 0;\n',
    detectors: [CODED],
  },
  {
    name: 'coding-off-deletes-shards-first',
    harm: 'when coding is turned off, shards go although a replica was not kept as it was written',
    file: 'packages/block-store/src/replicated/mend-replicas.ts',
    find: '  for (const node of wanted) if (!(await isWhole(run, node, blockId))) return;\n',
    replace: '',
    detectors: [CODED],
  },
  {
    name: 'coding-calls-damaged-shards-absent',
    harm: 'a file whose shards rotted counts as never stored, and nobody is told of the damage',
    file: 'packages/block-store/src/coded/coded-get.ts',
    find: '        if (!wasProbed) {',
    replace: '        if (readable.length === 0) {',
    detectors: [CODED],
  },
  {
    name: 'coding-surplus-goes-unread',
    harm: 'the one sound copy of a shard is deleted as surplus, since an index still names the rotten one',
    file: 'packages/block-store/src/coded/mend-shards.ts',
    find: '  if (anew.size === 0) {\n    await removeRecords(run, surplus);\n    return;\n  }\n',
    replace: '  await removeRecords(run, surplus);\n  if (anew.size === 0) return;\n',
    detectors: [CODED],
  },
  {
    name: 'coding-replicas-go-first',
    harm: 'the replicas of a block are deleted when some of its shards could not be written',
    file: 'packages/block-store/src/coded/mend-shards.ts',
    find: '  if (results.length < ALL_SHARDS || !results.every(Boolean)) return false;\n  const { bad } = await checkAll(run, blockId, places);\n  run.counts.failedCopies += bad.length;\n  if (bad.length > 0) return false;\n',
    replace: '',
    detectors: ['cluster', CODED],
  },
  {
    name: 'coding-shards-share-nodes',
    harm: 'a lost node takes several shards of a block with it, and two lost nodes the block',
    file: 'packages/block-store/src/coded/mend-shards.ts',
    find: '    ...idle.filter(({ nodeId }) => !held.has(nodeId)),\n    ...idle.filter(({ nodeId }) => held.has(nodeId)),\n',
    replace: '    ...order.filter((node) => node.isWritable),\n',
    detectors: ['cluster'],
  },
  {
    name: 'coding-reads-three-shards-as-lost',
    harm: 'a block of which two shards are gone is reported as lost, and is not made whole again',
    file: 'packages/block-store/src/coded/holdings.ts',
    find: 'countShards(holding) >= DATA_SHARDS;',
    replace: 'countShards(holding) > DATA_SHARDS;',
    detectors: ['cluster'],
  },
  {
    name: 'coding-off-forgets-shards',
    harm: 'after coding was turned off, shards of every block stay on the disks for ever',
    file: 'packages/block-store/src/replicated/mend-replicas.ts',
    find: 'const surplus = [...replicas.filter(({ node }) => !ids.has(node.nodeId)), ...shards];',
    replace: 'const surplus = replicas.filter(({ node }) => !ids.has(node.nodeId));',
    detectors: ['cluster'],
  },
];
