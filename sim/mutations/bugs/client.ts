import type { PlantedBug } from '../planted-bug.ts';

export const CLIENT_BUGS: readonly PlantedBug[] = [
  {
    name: 'client-new-id-for-each-try',
    harm: 'a commit whose answer was lost is made a second time, under another id',
    file: 'packages/client/src/space-client.ts',
    find: '            json: changeset,\n',
    replace: `            get json() {
              const id = [...api.environment.random.bytes(26)].map((byte) => String.fromCharCode(97 + (byte % 25)));
              return { ...changeset, changesetId: id.slice(0, 25).join('') + 'a' };
            },
`,
    detectors: ['tests:packages/client/src/commit-retry.test.ts', 'sim', 'tests:packages/client'],
  },
  {
    name: 'client-believes-any-block',
    harm: 'bytes that were damaged on the way or at rest end up under a name',
    file: 'packages/client/src/block-reader.ts',
    find: 'onBlock(block.blockId, openBlock(platform, block, room));',
    replace: `onBlock(
          block.blockId,
          block.codec === 'raw' ? block.payload : platform.decompress(block.payload, block.plainBytes),
        );`,
    detectors: ['tests:packages/client', 'sim'],
  },
  {
    name: 'client-does-not-wait-for-packs',
    harm: 'contents count as sent while they are still on their way',
    file: 'packages/client/src/upload.ts',
    find: 'await Promise.all([...inFlight]);',
    replace: '',
    detectors: ['tests:packages/client', 'sim'],
  },
  {
    name: 'delta-is-believed',
    harm: 'what a delta makes of a base that is not what it should be ends up under a name',
    file: 'packages/content/src/delta/delta-block.ts',
    find: "if (blockIdOf(platform, kind, made) !== blockId) throw wrong(delta, 'makes other bytes than its id names');",
    replace: '',
    detectors: ['tests:packages/content/src/delta'],
  },
  {
    name: 'client-gives-up-with-the-delta',
    harm: 'a file whose delta does not fit is never sent',
    file: 'packages/client/src/upload.ts',
    find: 'if (!isCairnError(error, ...DELTAS_REFUSED)) throw error;',
    replace: 'throw error;',
    detectors: ['tests:packages/client/src/deltas.test.ts'],
  },
];
