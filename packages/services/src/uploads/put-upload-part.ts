import { encodeBlock } from '@cairn/content';
import { CairnError, type ManifestPart, type UploadId } from '@cairn/model';
import { authoriseUpload } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import { createBlockSaver } from '../contents/block-saver.ts';
import { createByteSource } from '../contents/byte-source.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import { partLength } from './part-lengths.ts';

/** Parts rest as chunks of this length until the file is complete and cut by content. */
const CHUNK_BYTES = 1024 * 1024;

/** See `UploadsService.putPart`. */
export async function putUploadPart(
  dependencies: DataDependencies,
  principal: Principal,
  uploadId: UploadId,
  partNumber: number,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  const { store, platform, environment } = dependencies;
  const upload = await store.read((reader) =>
    authoriseUpload(reader, principal, uploadId, environment.clock.now()),
  );
  const sizeBytes = partLength(upload.sizeBytes, upload.partBytes, partNumber);
  if (sizeBytes === null) throw new CairnError('bad-request', 'the file has no part of this number');

  const source = createByteSource(pieces, sizeBytes);
  const saver = createBlockSaver(dependencies, principal, upload.spaceId);
  const parts: ManifestPart[] = [];
  try {
    const chunk = new Uint8Array(CHUNK_BYTES);
    for (let position = 0, filled = 0, more = true; more; ) {
      const count = await source.read(chunk.subarray(filled), position);
      more = count > 0;
      position += count;
      filled += count;
      if (filled === 0 || (more && filled < CHUNK_BYTES)) continue;
      const block = encodeBlock(platform, 'chunk', chunk.subarray(0, filled));
      parts.push({ block: block.blockId, sizeBytes: filled });
      await saver.add({ block, depth: 0, parts: null });
      filled = 0;
    }
    await saver.finish();
  } finally {
    await saver.settle();
    await source.close();
  }
  await store.transact(async (transaction) => {
    await authoriseUpload(transaction, principal, uploadId, environment.clock.now());
    await transaction.putUploadPart({ uploadId, partNumber, parts });
  });
}
