import type { BlockId, ContentId, FileContent } from '@cairn/model';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { packContent, packedIdOf, packedSizeOf, packId } from './store/packed-content.ts';

it('a packed content tells its id and its size without being unpacked', () => {
  const hex = fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => Buffer.from(bytes).toString('hex'));
  fc.assert(
    fc.property(hex, fc.maxSafeNat(), (digest, sizeBytes) => {
      const content: FileContent = {
        contentId: `03${digest}` as ContentId,
        sizeBytes,
        manifest: { profile: 't32-1m', depth: 0, parts: [{ block: `01${digest}` as BlockId, sizeBytes }] },
      };
      const packed = packContent(content);
      expect(packedSizeOf(packed)).toBe(sizeBytes);
      expect(packedIdOf(packed)).toBe(packId(content.contentId));
    }),
  );
});
