import { CairnError, type EntryId, splitExtension, type VersionId } from '@cairn/model';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import { openFile } from '../files/open-file.ts';
import type { Thumbnail, ThumbnailSize } from './previews-service.ts';

/** Pictures are read whole into memory, a few at a time. */
const MAX_PICTURE_BYTES = 64 * 1024 * 1024;
const PICTURES = new Set([
  '.jpg',
  '.jpeg',
  '.jpe',
  '.jfif',
  '.png',
  '.gif',
  '.webp',
  '.avif',
  '.tif',
  '.tiff',
]);

function noPreview(message: string): CairnError {
  return new CairnError('no-preview', message);
}

async function readWhole(pieces: AsyncIterable<Uint8Array>, sizeBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes);
  let position = 0;
  for await (const piece of pieces) {
    bytes.set(piece, position);
    position += piece.length;
  }
  return bytes;
}

/** See `PreviewsService.thumbnail`. */
export async function openThumbnail(
  dependencies: DataDependencies,
  principal: Principal,
  entryId: EntryId,
  { versionId, size }: { readonly versionId?: VersionId; readonly size: ThumbnailSize },
): Promise<Thumbnail> {
  const opened = await openFile(
    dependencies,
    principal,
    entryId,
    versionId === undefined ? {} : { versionId },
  );
  const { thumbnails } = dependencies;
  const [, extension] = splitExtension(opened.entry.name);
  if (thumbnails === undefined || !PICTURES.has(extension.toLowerCase())) {
    throw noPreview('there is no preview of files of this type; download it');
  }
  if (opened.sizeBytes === 0 || opened.sizeBytes > MAX_PICTURE_BYTES) {
    throw noPreview('the picture is empty, or too large for a preview; download it');
  }
  return {
    versionId: opened.version.versionId,
    render: () => thumbnails.render(() => readWhole(opened.read(), opened.sizeBytes), size),
  };
}
