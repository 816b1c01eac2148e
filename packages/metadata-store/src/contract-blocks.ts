import type { SpaceId } from '@cairn/model';
import { describe, expect, it } from 'vitest';
import {
  addAccount,
  blockId,
  chunk,
  id,
  manifestBlockId,
  NEW_BLOCKS,
  SPACE,
  USER,
} from './contract-fixture.ts';
import type { MetadataStore } from './metadata-store.ts';

const OTHER = id<SpaceId>('otherspace');

/** Part of the contract: who may have which blocks, and uploads under way. */
export function describeBlocks(getStore: () => MetadataStore): void {
  describe('blocks and uploads', () => {
    it('grants a block by lease or by a space of the user, and to nobody else', async () => {
      const store = getStore();
      const manifest = {
        ...chunk(9),
        blockId: manifestBlockId(9),
        kind: 'manifest' as const,
        depth: 1,
        coveredBytes: 20,
        parts: [{ block: blockId(1), sizeBytes: 20 }],
      };
      await store.transact(async (transaction) => {
        await addAccount(transaction, 'other', OTHER);
        await transaction.insertBlocks([chunk(1), chunk(2), chunk(3), manifest], NEW_BLOCKS);
        await transaction.insertBlocks([{ ...chunk(1), createdAt: 99 }], NEW_BLOCKS);
        await transaction.leaseBlocks(USER, [blockId(1)], 100);
        await transaction.leaseBlocks(USER, [blockId(1)], 50);
        expect(await transaction.addReferences(SPACE, [blockId(2), blockId(2)])).toEqual([blockId(2)]);
        expect(await transaction.addReferences(SPACE, [blockId(2), manifestBlockId(9)])).toEqual([
          manifestBlockId(9),
        ]);
      });
      const ids = [3, 2, 1, 8].map(blockId);
      await store.read(async (reader) => {
        expect(await reader.getBlocks([manifestBlockId(9), blockId(8), blockId(1)])).toEqual([
          manifest,
          undefined,
          chunk(1),
        ]);
        expect(await reader.hasReferences(SPACE, ids)).toEqual([false, true, false, false]);
        expect(await reader.canReach(USER, ids, 99)).toEqual([false, true, true, false]);
        expect(await reader.canReach(USER, ids, 100)).toEqual([false, true, false, false]);
        expect(await reader.canReach(id('other'), ids, 0)).toEqual([false, false, false, false]);
      });
      await store.transact((transaction) => transaction.deleteExpired(100, 100));
      expect(await store.read((reader) => reader.canReach(USER, ids, 0))).toEqual([
        false,
        true,
        false,
        false,
      ]);
    });

    it('keeps uploads and their parts until they expire', async () => {
      const store = getStore();
      const upload = {
        uploadId: id<never>('upload'),
        userId: USER,
        spaceId: SPACE,
        path: '/f',
        sizeBytes: 5,
        partBytes: 3,
        sha256: null,
        createdAt: 1,
        expiresAt: 10,
      };
      const part = {
        uploadId: upload.uploadId,
        partNumber: 1,
        parts: [{ block: blockId(1), sizeBytes: 2 }],
      };
      await store.transact(async (transaction) => {
        await transaction.insertUpload(upload);
        await transaction.putUploadPart({ ...part, parts: [] });
        await transaction.putUploadPart(part);
        await transaction.putUploadPart({ ...part, partNumber: 0 });
      });
      await store.read(async (reader) => {
        expect(await reader.getUpload(upload.uploadId)).toEqual(upload);
        expect(await reader.listUploadParts(upload.uploadId)).toEqual([{ ...part, partNumber: 0 }, part]);
      });
      await store.transact((transaction) => transaction.deleteExpired(10, 100));
      expect(await store.read((reader) => reader.listUploadParts(upload.uploadId))).toEqual([]);
    });
  });
}
