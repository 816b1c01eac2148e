/**
 * The records of a ZIP file (APPNOTE 6.3), for files that are stored as they are, written in one pass: lengths are known
 * beforehand, checksums come in a data descriptor behind the bytes. Entries from 4 GiB on, and whatever lies behind 4 GiB, are
 * told in zip64 fields.
 */
export interface ZipEntry {
  /** UTF-8, with `/` between folders; folders end in one. */
  readonly name: Uint8Array;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
  /** Type and rights as Unix has them. */
  readonly unixMode: number;
}

export interface WrittenEntry extends ZipEntry {
  readonly checksum: number;
  /** Where its local header begins. */
  readonly position: number;
}

const VERSION = 45;
const MADE_BY_UNIX = (3 << 8) | VERSION;
/** Checksum behind the bytes; names are UTF-8. */
const FLAGS = 0x0008 | 0x0800;
const LIMIT_32 = 0xffffffff;
const LIMIT_16 = 0xffff;
const FOLDER_ATTRIBUTE = 0x10;
const TYPE_MASK = 0o170000;
const FOLDER_TYPE = 0o040000;

/** What MS-DOS had: two seconds fine, from 1980 to 2107; in UTC, for a server has no place. */
function dosTime(date: Date): number {
  const year = Math.min(2107, Math.max(1980, date.getUTCFullYear()));
  if (year !== date.getUTCFullYear())
    return year === 1980 ? (1 << 21) | (1 << 16) : ((127 << 25) | (12 << 21) | (31 << 16)) >>> 0;
  const day = ((year - 1980) << 25) | ((date.getUTCMonth() + 1) << 21) | (date.getUTCDate() << 16);
  const time = (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1);
  return (day | time) >>> 0;
}

/** Seconds since 1970 as Info-ZIP writes them (extra field UT), where they fit. */
function unixTimeField(date: Date): Buffer {
  const seconds = Math.floor(date.getTime() / 1000);
  if (seconds < -0x80000000 || seconds > 0x7fffffff) return Buffer.alloc(0);
  const field = Buffer.alloc(9);
  field.writeUInt16LE(0x5455, 0);
  field.writeUInt16LE(5, 2);
  field.writeUInt8(1, 4);
  field.writeInt32LE(seconds, 5);
  return field;
}

function isLarge({ sizeBytes }: ZipEntry): boolean {
  return sizeBytes >= LIMIT_32;
}

/** Before the bytes. */
export function localHeader(entry: ZipEntry): Buffer {
  const large = isLarge(entry);
  const extra = Buffer.alloc(large ? 20 : 0);
  if (large) {
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(16, 2);
    extra.writeBigUInt64LE(BigInt(entry.sizeBytes), 4);
    extra.writeBigUInt64LE(BigInt(entry.sizeBytes), 12);
  }
  const time = unixTimeField(entry.modifiedAt);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(VERSION, 4);
  header.writeUInt16LE(FLAGS, 6);
  header.writeUInt32LE(dosTime(entry.modifiedAt), 10);
  header.writeUInt32LE(large ? LIMIT_32 : entry.sizeBytes, 18);
  header.writeUInt32LE(large ? LIMIT_32 : entry.sizeBytes, 22);
  header.writeUInt16LE(entry.name.length, 26);
  header.writeUInt16LE(extra.length + time.length, 28);
  return Buffer.concat([header, entry.name, extra, time]);
}

/** Behind the bytes. */
export function dataDescriptor(entry: ZipEntry, checksum: number): Buffer {
  const large = isLarge(entry);
  const descriptor = Buffer.alloc(large ? 24 : 16);
  descriptor.writeUInt32LE(0x08074b50, 0);
  descriptor.writeUInt32LE(checksum, 4);
  if (large) {
    descriptor.writeBigUInt64LE(BigInt(entry.sizeBytes), 8);
    descriptor.writeBigUInt64LE(BigInt(entry.sizeBytes), 16);
  } else {
    descriptor.writeUInt32LE(entry.sizeBytes, 8);
    descriptor.writeUInt32LE(entry.sizeBytes, 12);
  }
  return descriptor;
}

/** In the directory at the end of the file. */
export function directoryRecord(entry: WrittenEntry): Buffer {
  const far = entry.position >= LIMIT_32;
  const large = isLarge(entry);
  const longs = [...(large ? [entry.sizeBytes, entry.sizeBytes] : []), ...(far ? [entry.position] : [])];
  const extra = Buffer.alloc(longs.length === 0 ? 0 : 4 + longs.length * 8);
  if (longs.length > 0) {
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(longs.length * 8, 2);
    for (const [index, long] of longs.entries()) extra.writeBigUInt64LE(BigInt(long), 4 + index * 8);
  }
  const time = unixTimeField(entry.modifiedAt);
  const record = Buffer.alloc(46);
  record.writeUInt32LE(0x02014b50, 0);
  record.writeUInt16LE(MADE_BY_UNIX, 4);
  record.writeUInt16LE(VERSION, 6);
  record.writeUInt16LE(FLAGS, 8);
  record.writeUInt32LE(dosTime(entry.modifiedAt), 12);
  record.writeUInt32LE(entry.checksum, 16);
  record.writeUInt32LE(large ? LIMIT_32 : entry.sizeBytes, 20);
  record.writeUInt32LE(large ? LIMIT_32 : entry.sizeBytes, 24);
  record.writeUInt16LE(entry.name.length, 28);
  record.writeUInt16LE(extra.length + time.length, 30);
  const attribute = (entry.unixMode & TYPE_MASK) === FOLDER_TYPE ? FOLDER_ATTRIBUTE : 0;
  record.writeUInt32LE(((entry.unixMode << 16) | attribute) >>> 0, 38);
  record.writeUInt32LE(far ? LIMIT_32 : entry.position, 42);
  return Buffer.concat([record, entry.name, extra, time]);
}

/** Behind the directory: where it is. */
export function endRecords(count: number, position: number, sizeBytes: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  const needs64 = count >= LIMIT_16 || position >= LIMIT_32 || sizeBytes >= LIMIT_32;
  end.writeUInt16LE(Math.min(count, LIMIT_16), 8);
  end.writeUInt16LE(Math.min(count, LIMIT_16), 10);
  end.writeUInt32LE(Math.min(sizeBytes, LIMIT_32), 12);
  end.writeUInt32LE(Math.min(position, LIMIT_32), 16);
  if (!needs64) return end;
  const end64 = Buffer.alloc(56);
  end64.writeUInt32LE(0x06064b50, 0);
  end64.writeBigUInt64LE(44n, 4);
  end64.writeUInt16LE(MADE_BY_UNIX, 12);
  end64.writeUInt16LE(VERSION, 14);
  end64.writeBigUInt64LE(BigInt(count), 24);
  end64.writeBigUInt64LE(BigInt(count), 32);
  end64.writeBigUInt64LE(BigInt(sizeBytes), 40);
  end64.writeBigUInt64LE(BigInt(position), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(position + sizeBytes), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([end64, locator, end]);
}
