import type { BlockId, ContentId, FileContent, ManifestPart } from '@cairn/model';
import { describe, expect, it } from 'vitest';
import { blockIdOf } from './block-encoding.ts';
import { checkContent, contentIdOf } from './content-id.ts';
import { createNodePlatform } from './node/node-platform.ts';

const platform = createNodePlatform();
const bad = expect.objectContaining({ code: 'bad-request' });

const parts: readonly ManifestPart[] = [
  { block: blockIdOf(platform, 'chunk', Uint8Array.of(1)), sizeBytes: 40_000 },
  { block: blockIdOf(platform, 'chunk', Uint8Array.of(2)), sizeBytes: 50_000 },
];
const listed: readonly ManifestPart[] = [
  { block: blockIdOf(platform, 'manifest', Uint8Array.of(1)), sizeBytes: 90_000 },
];
const manifest = { profile: 't32-64k', depth: 0, parts } as const;
const content: FileContent = {
  contentId: contentIdOf(platform, manifest, 90_000),
  sizeBytes: 90_000,
  manifest,
};

/** As if the sender had computed the id over what it claims. */
function claim(change: Partial<FileContent['manifest']>, sizeBytes = 90_000): FileContent {
  const changed = { ...manifest, ...change };
  return { contentId: contentIdOf(platform, changed, sizeBytes), sizeBytes, manifest: changed };
}

describe('contentIdOf', () => {
  it('is frozen', () => {
    // A failure here means that every content of every server would get another name.
    expect(content.contentId).toBe('03b5be7502633a29925811108167310e440081ba9012e79ac3a4c65cb2ada4b3dd');
    expect(contentIdOf(platform, { profile: 't32-1m', depth: 0, parts: [] }, 0)).toBe(
      '03b33b27012b1f6993b1cd31123a216989be9e88bb670c64bf3e5b3bad1aa9c989',
    );
  });

  it('depends on everything in the root', () => {
    const ids = [
      content,
      claim({ profile: 't32-256k' }),
      claim({ depth: 1 }),
      claim({ parts: [...parts].reverse() }),
      claim({ parts: parts.slice(0, 1) }),
      claim({}, 90_000 + 2 ** 32),
      claim({ parts: [{ ...(parts[0] as ManifestPart), sizeBytes: 40_001 }, parts[1] as ManifestPart] }),
    ].map((each) => each.contentId);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('checkContent', () => {
  it('accepts what is consistent', () => {
    checkContent(platform, content);
    checkContent(platform, claim({ parts: [] }, 0));
    checkContent(platform, claim({ depth: 3, parts: listed }));
  });

  it('refuses a content id with any digit changed', () => {
    for (let index = 0; index < content.contentId.length; index++) {
      const digit = content.contentId[index] === '7' ? '8' : '7';
      const contentId = (content.contentId.slice(0, index) +
        digit +
        content.contentId.slice(index + 1)) as ContentId;
      expect(() => checkContent(platform, { ...content, contentId })).toThrow(bad);
    }
  });

  it.each([
    ['another size', { ...content, sizeBytes: 90_001 }],
    ['parts that do not add up', claim({}, 90_001)],
    ['an unknown profile', { ...content, manifest: { ...manifest, profile: 'toString' as 't32-1m' } }],
    ['chunks at a depth', claim({ depth: 1 })],
    ['manifest blocks as chunks', claim({ parts: listed })],
    ['a depth too large', claim({ depth: 4, parts: listed })],
    ['a depth that is no number', claim({ depth: 0.5, parts: listed })],
    ['no parts at a depth', claim({ depth: 1, parts: [] }, 0)],
    ['an empty part', claim({ parts: [...parts, { ...(parts[0] as ManifestPart), sizeBytes: 0 }] })],
    ['a chunk too large', claim({ parts: [{ ...(parts[0] as ManifestPart), sizeBytes: 2 ** 22 }] }, 2 ** 22)],
    [
      'a wrong block id',
      { ...content, manifest: { ...manifest, parts: [{ block: '02' as BlockId, sizeBytes: 90_000 }] } },
    ],
    [
      'too many parts',
      claim({ parts: Array.from({ length: 1025 }, () => parts[0] as ManifestPart) }, 1025 * 40_000),
    ],
  ])('refuses %s', (_, wrong) => {
    expect(() => checkContent(platform, wrong as FileContent)).toThrow(bad);
  });
});
