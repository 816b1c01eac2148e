import fc from 'fast-check';
import { expect, it } from 'vitest';
import { forgetIdleChunkers, returnChunker, takeChunker } from './chunker-pool.ts';
import { cutContent, describeContent } from './cut-content.ts';
import { createNodePlatform } from './node/node-platform.ts';
import { createBlockBox } from './testing/block-box.ts';
import { createByteSource, makeBytes } from './testing/byte-source.ts';

const platform = createNodePlatform();
const profiles = ['t32-64k', 't32-256k', 't32-1m'] as const;

it('idle chunkers are forgotten, but for one of small files that nobody has used', () => {
  for (const profile of profiles) {
    const used = [takeChunker(profile, false), takeChunker(profile, false)];
    for (const chunker of used) returnChunker(chunker, false);
    const again = takeChunker(profile, false);
    expect(used).toContain(again);
    returnChunker(again, false);
    forgetIdleChunkers();
    const next = takeChunker(profile, false);
    expect(used).not.toContain(next);
    expect(next.profile).toBe(profile);
  }
});

it('contents that are being cut are not disturbed by that', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...profiles),
      fc.integer({ min: 0, max: 2_500_000 }),
      fc.integer(),
      async (profile, sizeBytes, seed) => {
        const bytes = makeBytes(seed, sizeBytes);
        const plain = createByteSource(bytes, 300_000);
        const box = createBlockBox(platform);
        const [content, other] = await Promise.all([
          cutContent(
            platform,
            {
              async read(into, position) {
                forgetIdleChunkers();
                return plain.read(into, position);
              },
            },
            { profile, emit: box.emit },
          ),
          describeContent(platform, plain, { profile }),
        ]);
        expect(content).toEqual(other);
        expect(Buffer.compare(await box.reassemble(content), bytes)).toBe(0);
      },
    ),
    { numRuns: 20 },
  );
});
