import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';

const MIB = 1024 ** 2;
/** Of a file up to this size every byte is compared. */
const ALL_COMPARED_BYTES = 1024 * MIB;
const PIECE_BYTES = 4 * MIB;
/** What is looked at of a larger one besides the random parts and a MiB on both sides of each. */
const PLACES = 1000;
const PLACE_BYTES = 4096;
/**
 * What may be on disk in addition: a chunk is written whole unless it is all zeros, and one of zeros that comes after a
 * later place of the file was written is, too. Shown with the figures; more than this, or half of the holes, is wrong.
 */
const SPARE_DISK_BYTES = 64 * MIB;

/** Bytes at a position of a file; all others are 0. */
export interface Part {
  readonly position: number;
  readonly bytes: Buffer;
}

/** A random MiB at the start, in the middle and at the end of a file of that size; all of a small one. */
export function makeParts(sizeBytes: number, next: (sizeBytes: number) => Buffer): Part[] {
  if (sizeBytes <= 3 * MIB) return [{ position: 0, bytes: next(sizeBytes) }];
  const middle = Math.floor(sizeBytes / 2 / PLACE_BYTES) * PLACE_BYTES - MIB / 2;
  return [0, middle, sizeBytes - MIB].map((position) => ({ position, bytes: next(MIB) }));
}

export function writeSparseFile(path: string, sizeBytes: number, parts: readonly Part[]): void {
  const descriptor = openSync(path, 'wx');
  try {
    ftruncateSync(descriptor, sizeBytes);
    for (const { position, bytes } of parts) writeSync(descriptor, bytes, 0, bytes.length, position);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

export function overwrite(path: string, { position, bytes }: Part): void {
  const descriptor = openSync(path, 'r+');
  try {
    writeSync(descriptor, bytes, 0, bytes.length, position);
  } finally {
    closeSync(descriptor);
  }
}

export function hasBytes(path: string, { position, bytes }: Part): boolean {
  const descriptor = openSync(path, 'r');
  try {
    return readAt(descriptor, position, bytes.length).equals(bytes);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Compares a file with the parts that were written and with the file that they were written to.
 * @param parts what a later one overwrites lies within one before it
 * @returns bytes on disk of both
 * @throws Error when bytes differ, or when holes of one are not holes of the other
 */
export function requireSameSparseFile(
  ownPath: string,
  otherPath: string,
  parts: readonly Part[],
): { own: number; other: number } {
  const own = openSync(ownPath, 'r');
  const other = openSync(otherPath, 'r');
  try {
    const [ownStatus, otherStatus] = [fstatSync(own), fstatSync(other)];
    const { size } = ownStatus;
    if (size !== otherStatus.size)
      throw new Error(`the file has ${otherStatus.size} bytes instead of ${size}`);
    parts.forEach(({ position, bytes }, index) => {
      const expected = Buffer.from(bytes);
      for (const later of parts.slice(index + 1)) {
        const at = later.position - position;
        if (at >= 0 && at < expected.length) later.bytes.copy(expected, at);
      }
      if (!readAt(other, position, bytes.length).equals(expected))
        throw new Error(`other bytes than written from ${position} on`);
    });
    for (const { from, length } of listSpans(size, parts))
      if (!readAt(own, from, length).equals(readAt(other, from, length)))
        throw new Error(`other bytes within ${length} from ${from} on`);
    const disk = { own: ownStatus.blocks * 512, other: otherStatus.blocks * 512 };
    if (disk.other > disk.own + Math.min(SPARE_DISK_BYTES, Math.max(MIB, size - disk.own) / 2))
      throw new Error(`it takes ${disk.other} bytes on disk instead of ${disk.own}: its holes are lost`);
    return disk;
  } finally {
    closeSync(own);
    closeSync(other);
  }
}

function* listSpans(size: number, parts: readonly Part[]): Generator<{ from: number; length: number }> {
  const clip = (from: number, to: number) => {
    const start = Math.max(0, from);
    return { from: start, length: Math.min(size, to) - start };
  };
  if (size <= ALL_COMPARED_BYTES) {
    for (let from = 0; from < size; from += PIECE_BYTES) yield clip(from, from + PIECE_BYTES);
    return;
  }
  for (const { position, bytes } of parts) yield clip(position - MIB, position + bytes.length + MIB);
  for (let place = 1; place < PLACES; place++) {
    const from = Math.floor((size / PLACES) * place);
    yield clip(from, from + PLACE_BYTES);
  }
}

function readAt(descriptor: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let count = 0;
  while (count < length) {
    const more = readSync(descriptor, bytes, count, length - count, position + count);
    if (more === 0) break;
    count += more;
  }
  return bytes.subarray(0, count);
}
