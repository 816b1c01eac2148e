import type { UploadRecord } from '@cairn/metadata-store';
import { CairnError, createId, type UploadId } from '@cairn/model';
import type { Principal } from '../authorisation/principal.ts';
import { UPLOAD_LIFE_MS } from '../blocks/block-limits.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import type { UploadStatus } from '../data-services-types.ts';
import { prepareFile } from '../files/put-file.ts';
import { describeUpload } from './describe-upload.ts';
import { choosePartBytes } from './part-lengths.ts';

const SHA256 = /^[0-9a-f]{64}$/;

/** See `UploadsService.create`. */
export async function createUpload(
  dependencies: DataDependencies,
  principal: Principal,
  file: { readonly path: string; readonly sizeBytes: number; readonly sha256?: string },
): Promise<UploadStatus> {
  const { path, sizeBytes } = file;
  const sha256 = file.sha256?.toLowerCase() ?? null;
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
    throw new CairnError('bad-request', 'sizeBytes is the length of the whole file, a whole number');
  }
  if (sha256 !== null && !SHA256.test(sha256)) {
    throw new CairnError('bad-request', 'sha256 has 64 hex digits');
  }
  const { space } = await prepareFile(dependencies, principal, path, undefined);
  const now = dependencies.environment.clock.now();
  const upload: UploadRecord = {
    uploadId: createId<UploadId>(dependencies.environment.random.bytes(16)),
    userId: principal.userId,
    spaceId: space.spaceId,
    path,
    sizeBytes,
    partBytes: choosePartBytes(sizeBytes),
    sha256,
    createdAt: now,
    expiresAt: now + UPLOAD_LIFE_MS,
  };
  return dependencies.store.transact(async (transaction) => {
    await transaction.insertUpload(upload);
    return describeUpload(transaction, upload);
  });
}
