import { createHash } from 'node:crypto';
import { openBlock } from '@cairn/content';
import { type BlockId, CairnError, type FileEntry, type UploadId } from '@cairn/model';
import { authoriseUpload } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import { readKnownBlocks } from '../blocks/read-blocks.ts';
import { saveContent } from '../contents/save-content.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import type { PutFileOptions } from '../data-services-types.ts';
import { commitFile, prepareFile } from '../files/put-file.ts';
import { describeUpload } from './describe-upload.ts';

/** The parts' bytes in order; throws at the end when they have not the SHA-256 that was announced. */
async function* readParts(
  { blocks, platform }: DataDependencies,
  blockIds: readonly BlockId[],
  sha256: string | null,
): AsyncGenerator<Uint8Array> {
  const hash = sha256 === null ? null : createHash('sha256');
  for await (const block of readKnownBlocks(blocks, blockIds)) {
    const plain = openBlock(platform, block);
    hash?.update(plain);
    yield plain;
  }
  if (hash !== null && hash.digest('hex') !== sha256) {
    throw new CairnError(
      'bad-request',
      'the parts have not the SHA-256 that was announced; upload them again',
    );
  }
}

/** See `UploadsService.complete`. */
export async function completeUpload(
  dependencies: DataDependencies,
  principal: Principal,
  uploadId: UploadId,
  options: Pick<PutFileOptions, 'executable' | 'modifiedAtUs' | 'ifMatch' | 'signal'> = {},
): Promise<FileEntry> {
  const { store, environment } = dependencies;
  const { upload, status, parts } = await store.read(async (reader) => {
    const found = await authoriseUpload(reader, principal, uploadId, environment.clock.now());
    return {
      upload: found,
      status: await describeUpload(reader, found),
      parts: await reader.listUploadParts(uploadId),
    };
  });
  if (status.missingParts.length > 0) {
    throw new CairnError('bad-request', 'parts of the upload are missing; send them, then complete it', {
      details: { missingParts: status.missingParts },
    });
  }
  const { existing } = await prepareFile(dependencies, principal, upload.path, options.ifMatch);
  const blockIds = parts
    .toSorted((left, right) => left.partNumber - right.partNumber)
    .flatMap((part) => part.parts.map(({ block }) => block));
  const source = readParts(dependencies, blockIds, upload.sha256);
  const content = await saveContent(dependencies, principal, upload.spaceId, source, {
    sizeBytes: upload.sizeBytes,
    baseProfile: existing?.content.manifest.profile ?? null,
    signal: options.signal,
  });
  const entry = await commitFile(dependencies, principal, upload.path, content, options);
  await store.transact((transaction) => transaction.deleteUpload(uploadId));
  return entry;
}
