import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Entry, fromRandomAccessReader, RandomAccessReader, type ZipFile } from 'yauzl';
import { writeZip, type ZipSource } from './write-zip.ts';

const PIECE = 1024 * 1024;
const ZEROS = new Uint8Array(PIECE);
const modifiedAt = new Date('2024-05-06T07:08:10Z');

function file(path: string, bytes: ZipSource['bytes'], sizeBytes: number): ZipSource {
  return { path, kind: 'file', sizeBytes, modifiedAt, unixMode: 0o100644, bytes };
}

/** A file that is mostly zeros, of which only the rest is kept. */
class SparseFile extends RandomAccessReader {
  sizeBytes = 0;
  readonly #pieces: { readonly at: number; readonly bytes: Uint8Array }[] = [];

  async fill(zip: AsyncIterable<Uint8Array>): Promise<this> {
    let run: Uint8Array[] = [];
    let start = 0;
    const endRun = (): void => {
      if (run.length > 0) this.#pieces.push({ at: start, bytes: Buffer.concat(run) });
      run = [];
    };
    for await (const bytes of zip) {
      if (bytes.length > 4096 && Buffer.compare(bytes, ZEROS.subarray(0, bytes.length)) === 0) endRun();
      else {
        if (run.length === 0) start = this.sizeBytes;
        run.push(bytes);
      }
      this.sizeBytes += bytes.length;
    }
    endRun();
    return this;
  }

  override _readStreamForRange(start: number, end: number): Readable {
    const range = Buffer.alloc(end - start);
    for (const { at, bytes } of this.#pieces) {
      const from = Math.max(start, at);
      const to = Math.min(end, at + bytes.length);
      if (from < to) range.set(bytes.subarray(from - at, to - at), from - start);
    }
    return Readable.from([range], { objectMode: false });
  }
}

async function listEntries(zip: ZipFile): Promise<Entry[]> {
  const entries: Entry[] = [];
  zip.on('entry', (entry: Entry) => {
    entries.push(entry);
    zip.readEntry();
  });
  zip.readEntry();
  await new Promise((resolve, reject) => zip.once('end', resolve).once('error', reject));
  return entries;
}

async function open(sparse: SparseFile): Promise<ZipFile> {
  const options = { lazyEntries: true, autoClose: false };
  return promisify<ZipFile>((done) =>
    fromRandomAccessReader(sparse, sparse.sizeBytes, options, (error, zip) => done(error, zip)),
  )();
}

async function readEntry(zip: ZipFile, entry: Entry): Promise<Buffer> {
  const stream = await promisify<Readable>((done) =>
    zip.openReadStream(entry, (error, it) => done(error, it)),
  )();
  return Buffer.concat(await stream.toArray());
}

describe('a zip', () => {
  it('holds files of 4 GiB and more, and what lies behind them', async () => {
    const pieces = 4097;
    async function* long(): AsyncGenerator<Uint8Array> {
      for (let piece = 0; piece < pieces; piece++) yield ZEROS;
    }
    async function* sources(): AsyncGenerator<ZipSource> {
      yield file('long.bin', long(), pieces * PIECE);
      yield file('after.txt', [Buffer.from('after')], 5);
    }
    const zip = await open(await new SparseFile().fill(writeZip(sources())));
    const entries = await listEntries(zip);
    expect(entries.map(({ fileName, uncompressedSize }) => [fileName, uncompressedSize])).toEqual([
      ['long.bin', pieces * PIECE],
      ['after.txt', 5],
    ]);
    expect((await readEntry(zip, entries[1] as Entry)).toString()).toBe('after');
  });

  it('holds more than 65,535 things, with their rights and times', async () => {
    const count = 70_000;
    async function* sources(): AsyncGenerator<ZipSource> {
      yield { path: 'd', kind: 'folder', sizeBytes: 0, modifiedAt, unixMode: 0o040755, bytes: [] };
      for (let index = 1; index < count; index++) yield file(`d/${index}`, [], 0);
    }
    const entries = await listEntries(await open(await new SparseFile().fill(writeZip(sources()))));
    expect(entries).toHaveLength(count);
    expect(entries[0]?.fileName).toBe('d/');
    const last = entries.at(-1);
    expect((last?.externalFileAttributes ?? 0) >>> 16).toBe(0o100644);
    expect(last?.getLastModDate()).toEqual(modifiedAt);
  });

  it('is asked for file by file, as fast as it is taken', async () => {
    let begun = 0;
    async function* bytes(): AsyncGenerator<Uint8Array> {
      begun += 1;
      yield ZEROS;
    }
    async function* sources(): AsyncGenerator<ZipSource> {
      for (let index = 0; index < 100; index++) yield file(`${index}`, bytes(), PIECE);
    }
    const zip = writeZip(sources());
    await zip.next();
    expect(begun).toBeLessThan(4);
    await zip.return(undefined);
  });

  it('that nobody wants any longer closes what it reads', async () => {
    let open = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      open += 1;
      try {
        for (;;) yield ZEROS;
      } finally {
        open -= 1;
      }
    }
    async function* sources(): AsyncGenerator<ZipSource> {
      open += 1;
      try {
        for (let index = 0; ; index++) yield file(`${index}`, endless(), 2 ** 40);
      } finally {
        open -= 1;
      }
    }
    for await (const piece of writeZip(sources())) if (piece.length > 1000) break;
    expect(open).toBe(0);
  });

  it.each([
    [
      'a source that breaks',
      async function* () {
        yield ZEROS;
        throw new Error('gone');
      },
      'gone',
    ],
    [
      'bytes that are too few',
      async function* () {
        yield ZEROS;
      },
      'unexpected number of bytes',
    ],
  ] as const)('never ends well with %s', async (_what, bytes, words) => {
    async function* sources(): AsyncGenerator<ZipSource> {
      yield file('first', [Buffer.from('1')], 1);
      yield file('bad', bytes(), 2 * PIECE);
      yield file('last', [Buffer.from('3')], 1);
    }
    await expect(async () => {
      for await (const _piece of writeZip(sources()));
    }).rejects.toThrow(words);
  });

  it('never ends well when what is to be put into it cannot be listed to the end', async () => {
    async function* sources(): AsyncGenerator<ZipSource> {
      yield file('first', [Buffer.from('1')], 1);
      throw new Error('no right to read on');
    }
    await expect(async () => {
      for await (const _piece of writeZip(sources()));
    }).rejects.toThrow('no right');
  });

  it('gives the bytes back that were put in', async () => {
    const bytes = Buffer.from('x'.repeat(200_000));
    async function* sources(): AsyncGenerator<ZipSource> {
      yield file('a/é.txt', [bytes.subarray(0, 70_000), bytes.subarray(70_000)], bytes.length);
    }
    const zip = await open(await new SparseFile().fill(writeZip(sources())));
    const [entry] = await listEntries(zip);
    expect(entry?.fileName).toBe('a/é.txt');
    const hash = (it: Uint8Array) => createHash('sha256').update(it).digest('hex');
    expect(hash(await readEntry(zip, entry as Entry))).toBe(hash(bytes));
  });
});
