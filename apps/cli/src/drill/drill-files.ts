import { createCipheriv, createHash } from 'node:crypto';
import type { Client } from '@cairn/client';
import type { EntryId, VersionId } from '@cairn/model';
import { showName } from '../output/text.ts';
import { NotProven } from './drill-log.ts';

/** A file of which is known what it must read back as. */
export interface DrillFile {
  readonly path: string;
  readonly entryId: EntryId;
  readonly versionId: VersionId;
  readonly sha256: string;
  readonly sizeBytes: number;
}

const READS_AT_ONCE = 4;
const KIBIBYTE = 1024;
/** Empty, tiny, one block, many blocks. */
const SIZES = [0, 1, 300, 4, 20, 70, 130, 300, 700, 1500].map((size, index) =>
  index < 3 ? size : size * KIBIBYTE,
);

/** Bytes that a seed and a name decide; every third name gives text, which compresses. */
export function createSeededBytes(seed: string): (name: string, sizeBytes: number) => Uint8Array {
  return (name, sizeBytes) => {
    const key = createHash('sha256').update(`${seed}\0${name}`).digest();
    const bytes = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
    if ((key[0] as number) % 3 !== 0) return bytes;
    const text = bytes
      .subarray(0, Math.ceil(sizeBytes / 8))
      .toString('hex')
      .repeat(5);
    return Buffer.from(text.slice(0, sizeBytes).padEnd(sizeBytes, ' '));
  };
}

/** Name and size of the files that a drill makes by itself. */
export function* drillFileSizes(
  amount: number,
): Generator<{ readonly name: string; readonly sizeBytes: number }> {
  for (let number = 0; number < amount; number++) {
    yield { name: `file-${number}`, sizeBytes: SIZES[number % SIZES.length] as number };
  }
}

/** Stores a file and answers what it must read back as. */
export async function putFile(
  client: Client,
  path: string,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<DrillFile> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const { entryId, versionId } = await client.files.putContent(path, bytes, signal);
  if (versionId === undefined) throw new NotProven(`the server stored ${showName(path)} as no file`);
  return { path, entryId, versionId, sha256, sizeBytes: bytes.length };
}

/** Reads a version and answers the hash of what came. */
export async function hashVersion(
  client: Client,
  { entryId, versionId }: Pick<DrillFile, 'entryId' | 'versionId'>,
  signal: AbortSignal,
): Promise<{ readonly sha256: string; readonly sizeBytes: number }> {
  return client.files.readVersion(
    entryId,
    versionId,
    async (pieces) => {
      const hash = createHash('sha256');
      let sizeBytes = 0;
      for await (const piece of pieces) {
        hash.update(piece);
        sizeBytes += piece.length;
      }
      return { sha256: hash.digest('hex'), sizeBytes };
    },
    signal,
  );
}

/** @throws NotProven when other bytes come, and what the server says when none do */
export async function checkFile(client: Client, file: DrillFile, signal: AbortSignal): Promise<void> {
  const got = await hashVersion(client, file, signal);
  if (got.sha256 !== file.sha256) throw new NotProven(`${showName(file.path)} reads as other bytes`);
}

/** Reads every file and compares. Answers how many files and bytes that were. @throws as {@link checkFile} */
export async function checkFiles(
  client: Client,
  files: readonly DrillFile[],
  signal: AbortSignal,
): Promise<{ readonly files: number; readonly bytes: number }> {
  let next = 0;
  let bytes = 0;
  async function readOn(): Promise<void> {
    for (let file = files[next++]; file !== undefined; file = files[next++]) {
      await checkFile(client, file, signal);
      bytes += file.sizeBytes;
    }
  }
  await Promise.all(Array.from({ length: READS_AT_ONCE }, readOn));
  return { files: files.length, bytes };
}
