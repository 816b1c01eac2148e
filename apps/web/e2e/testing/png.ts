import { crc32, deflateSync } from 'node:zlib';

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

export interface PngOptions {
  /** What the header says; the picture may be another one. */
  readonly width: number;
  readonly height: number;
  /** The rows; as many black ones as the header says unless given. */
  readonly rows?: Uint8Array;
  /** A comment that is compressed. */
  readonly comment?: Uint8Array;
}

/** A PNG of one bit a pixel. */
export function createPng({ width, height, rows, comment }: PngOptions): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([1, 0, 0, 0, 0], 8);
  const plain = rows ?? new Uint8Array(height * (1 + Math.ceil(width / 8)));
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    ...(comment === undefined
      ? []
      : [
          chunk(
            'zTXt',
            Buffer.concat([Buffer.from('Comment\0\0', 'latin1'), deflateSync(comment, { level: 9 })]),
          ),
        ]),
    chunk('IDAT', deflateSync(plain, { level: 9 })),
    chunk('IEND', new Uint8Array()),
  ]);
}
