import { parentPort } from 'node:worker_threads';
import sharp from 'sharp';
import type { ThumbnailSize } from '../previews-service.ts';

export interface ThumbnailJob {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly size: ThumbnailSize;
}

/** `picture: null`: it is none, or would cost too much. */
export interface ThumbnailAnswer {
  readonly number: number;
  readonly picture: Uint8Array | null;
}

/** What cameras and telephones make fits; what a few kilobytes could swell up to does not. */
const MAX_PIXELS = 120_000_000;
const MAX_EDGE = 30_000;
const QUALITY = 78;
const FORMATS = new Set(['jpeg', 'png', 'gif', 'webp', 'heif', 'tiff']);

sharp.cache(false);
sharp.concurrency(1);
// Nothing but loaders of plain pictures: no SVG, no PDF, nothing that reads other files.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: [
    'VipsForeignLoadJpegBuffer',
    'VipsForeignLoadPngBuffer',
    'VipsForeignLoadNsgifBuffer',
    'VipsForeignLoadWebpBuffer',
    'VipsForeignLoadHeifBuffer',
    'VipsForeignLoadTiffBuffer',
  ],
});

async function render({ bytes, size }: ThumbnailJob): Promise<Uint8Array | null> {
  const options = { limitInputPixels: MAX_PIXELS, failOn: 'error', sequentialRead: true, pages: 1 } as const;
  try {
    const { format, width, height } = await sharp(bytes, options).metadata();
    if (!FORMATS.has(format) || width > MAX_EDGE || height > MAX_EDGE || width * height > MAX_PIXELS)
      return null;
    return await sharp(bytes, options)
      .autoOrient()
      .resize(size, size, { fit: 'inside', withoutEnlargement: true })
      .webp({ quality: QUALITY })
      .toBuffer();
  } catch {
    // Damaged, or no picture whatever its name says.
    return null;
  }
}

parentPort?.on('message', (job: ThumbnailJob) => {
  void render(job).then((picture) => {
    const answer: ThumbnailAnswer = { number: job.number, picture };
    parentPort?.postMessage(answer);
  });
});
