import type { MetadataReader, UploadRecord } from '@cairn/metadata-store';
import type { UploadId } from '@cairn/model';
import { authoriseUpload } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import type { UploadStatus } from '../data-services-types.ts';
import { countParts } from './part-lengths.ts';

export async function describeUpload(reader: MetadataReader, upload: UploadRecord): Promise<UploadStatus> {
  const arrived = new Set(
    (await reader.listUploadParts(upload.uploadId)).map(({ partNumber }) => partNumber),
  );
  const missingParts: number[] = [];
  for (let number = 1; number <= countParts(upload.sizeBytes, upload.partBytes); number++) {
    if (!arrived.has(number)) missingParts.push(number);
  }
  const { uploadId, path, sizeBytes, partBytes, expiresAt } = upload;
  return { uploadId, path, sizeBytes, partBytes, missingParts, expiresAt };
}

/** See `UploadsService.get`. */
export function getUpload(
  { store, environment }: DataDependencies,
  principal: Principal,
  uploadId: UploadId,
): Promise<UploadStatus> {
  const now = environment.clock.now();
  return store.read(async (reader) =>
    describeUpload(reader, await authoriseUpload(reader, principal, uploadId, now)),
  );
}
