import {
  MAX_RECORD_BYTES,
  parseRecordHeader,
  payloadChecksum,
  RECORD_HEADER_BYTES,
  RECORD_MAGIC,
  type RecordHeader,
  recordBytes,
} from './record-format.ts';
import type { SegmentFile } from './segment-files.ts';

export type ScanItem =
  /** A record whose header is intact; `problem` says what is wrong with its payload. */
  | {
      readonly kind: 'record';
      readonly header: RecordHeader;
      readonly offset: number;
      /** Bytes of it that are in the file. */
      readonly lengthBytes: number;
      readonly problem: string | null;
    }
  /** Bytes that belong to no record here, up to the next intact header or the end. */
  | { readonly kind: 'gap'; readonly offset: number; readonly lengthBytes: number };

const WINDOW_BYTES = 4 * 1024 * 1024;

/** Reads ahead through one file in large windows that always hold the record asked for. */
class Window {
  #bytes = Buffer.allocUnsafe(0);
  #start = 0;
  readonly #file: SegmentFile;
  readonly #endBytes: number;

  constructor(file: SegmentFile, endBytes: number) {
    this.#file = file;
    this.#endBytes = endBytes;
  }

  /** The bytes from `offset`, at least `lengthBytes` of them unless the file ends before. */
  async from(offset: number, lengthBytes: number): Promise<Buffer> {
    const needed = Math.min(lengthBytes, this.#endBytes - offset);
    const held = this.#start + this.#bytes.length;
    if (offset < this.#start || offset + needed > held) {
      const want = Math.min(Math.max(WINDOW_BYTES, needed), this.#endBytes - offset);
      const bytes = Buffer.allocUnsafeSlow(want);
      this.#bytes = bytes.subarray(0, await this.#file.read(bytes, offset));
      this.#start = offset;
    }
    return this.#bytes.subarray(offset - this.#start);
  }
}

/** Offset of the next intact header that belongs to its place, or the end of the file. */
async function findNextRecord(window: Window, from: number, endBytes: number, uuid: Buffer): Promise<number> {
  let offset = from;
  while (offset + RECORD_HEADER_BYTES <= endBytes) {
    const bytes = await window.from(offset, RECORD_HEADER_BYTES);
    if (bytes.length < RECORD_HEADER_BYTES) break;
    const at = bytes.indexOf(RECORD_MAGIC);
    if (at < 0 || at + RECORD_HEADER_BYTES > bytes.length) {
      // The magic may straddle the border, or its header does: look again from there with a fresh window.
      const skipped = at < 0 ? bytes.length - (RECORD_MAGIC.length - 1) : at;
      offset += Math.max(1, skipped);
      continue;
    }
    offset += at;
    if (parseRecordHeader(bytes, at, uuid, offset) !== null) return offset;
    offset += 1;
  }
  return endBytes;
}

/**
 * Walks a segment from `fromBytes` to `endBytes`, checking every record's header, place and payload. Memory is
 * one window. Rejects with the file's error when it cannot be read.
 */
export async function* scanSegment(
  file: SegmentFile,
  segmentUuid: Buffer,
  fromBytes: number,
  endBytes: number,
): AsyncGenerator<ScanItem> {
  const window = new Window(file, endBytes);
  let offset = fromBytes;
  while (offset < endBytes) {
    const bytes = await window.from(offset, RECORD_HEADER_BYTES);
    const header = parseRecordHeader(bytes, 0, segmentUuid, offset);
    if (header === null) {
      const next = await findNextRecord(window, offset + 1, endBytes, segmentUuid);
      yield { kind: 'gap', offset, lengthBytes: next - offset };
      offset = next;
      continue;
    }
    const length = recordBytes(header.storedBytes);
    const whole = await window.from(offset, Math.min(length, MAX_RECORD_BYTES));
    let problem: string | null = null;
    if (whole.length < length) problem = 'cut-short';
    else if (payloadChecksum(whole.subarray(RECORD_HEADER_BYTES, length)) !== header.payloadChecksum) {
      problem = 'payload-checksum';
    }
    yield { kind: 'record', header, offset, lengthBytes: Math.min(length, endBytes - offset), problem };
    offset = problem === 'cut-short' ? endBytes : offset + length;
  }
}
