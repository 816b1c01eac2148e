import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';

/** Bytes of one file, as of one segment. */
const FILE_BYTES = 64 * 1024 * 1024;

interface Order {
  readonly path: string;
  readonly sizeBytes: number;
  /** Written at a time, and flushed then. */
  readonly flushBytes: number;
}

/** One plain writer of `bench:replicated`: what a disk lets several processes do that do nothing else. */
process.once('message', ({ path, sizeBytes, flushBytes }: Order) => {
  const bytes = Buffer.alloc(flushBytes, 'floor');
  for (let done = 0, file = -1; done < sizeBytes; done += flushBytes) {
    if (done % FILE_BYTES === 0) {
      if (file >= 0) closeSync(file);
      file = openSync(`${path}-${done / FILE_BYTES}`, 'wx');
    }
    writeSync(file, bytes, 0, Math.min(flushBytes, sizeBytes - done));
    fdatasyncSync(file);
  }
  process.send?.('done');
});
process.send?.('ready');
