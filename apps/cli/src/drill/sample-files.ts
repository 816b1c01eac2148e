import { createHash } from 'node:crypto';
import type { Client } from '@cairn/client';
import { CairnError, type Entry, type EntryId, type FileEntry } from '@cairn/model';
import { withClient } from '../connect.ts';
import { type CliContext, remark } from '../context.ts';
import { count, showSize } from '../output/text.ts';

const MEBIBYTE = 1024 * 1024;
/** Larger files would make a drill a copy of a disk. */
const MAX_FILE_BYTES = 64 * MEBIBYTE;
const MAX_SAMPLE_BYTES = 1024 * MEBIBYTE;

/** Files of who is signed in, in an order that the seed decides, up to `amount` of them and a bound of bytes. */
export async function chooseSample(
  client: Client,
  amount: number,
  seed: string,
  signal: AbortSignal,
): Promise<FileEntry[]> {
  const space = await client.personalSpace();
  const files: FileEntry[] = [];
  let after: EntryId | null = null;
  do {
    const page: { entries: Entry[]; next: EntryId | null } = await space.snapshot(after, signal);
    for (const entry of page.entries) {
      if (entry.kind === 'file' && entry.content.sizeBytes <= MAX_FILE_BYTES) files.push(entry);
    }
    after = page.next;
  } while (after !== null);
  const rank = ({ entryId }: FileEntry): string =>
    createHash('sha256')
      .update(seed + entryId)
      .digest('hex');
  files.sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  const chosen: FileEntry[] = [];
  let bytes = 0;
  for (const file of files) {
    if (chosen.length >= amount || bytes + file.content.sizeBytes > MAX_SAMPLE_BYTES) break;
    chosen.push(file);
    bytes += file.content.sizeBytes;
  }
  return chosen;
}

/** Reads the sample, file by file, and hands the bytes on with a path that is of no other. */
export async function forEachSample(
  context: CliContext,
  amount: number,
  seed: string,
  use: (path: string, bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  await withClient(context, async (client) => {
    const sample = await chooseSample(client, amount, seed, context.signal);
    if (sample.length === 0) {
      throw new CairnError('precondition-failed', 'there is no file to take as a sample; leave --sample out');
    }
    let bytes = 0;
    for (const { entryId, versionId } of sample) {
      const content = await client.files.readVersion(
        entryId,
        versionId,
        async (pieces) => {
          const parts: Uint8Array[] = [];
          for await (const piece of pieces) parts.push(piece);
          return Buffer.concat(parts);
        },
        context.signal,
      );
      bytes += content.length;
      await use(`/${entryId}`, content);
    }
    remark(
      context,
      `${count(sample.length, 'file')} (${showSize(bytes)}) of ${client.serverUrl} were copied.`,
    );
  });
}
