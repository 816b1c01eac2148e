import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client } from '@cairn/client';
import { CairnError, type EntryId, splitExtension } from '@cairn/model';
import type { ConflictObject, VersionObject } from '@cairn/protocol';

/** One of the contents that a conflict is about. */
export interface Side {
  readonly label: 'theirs' | 'mine' | 'base';
  /** The entry whose version it is. */
  readonly entryId: EntryId;
  readonly path: string | null;
  readonly version: VersionObject;
}

/** What there is to look at: what has the name, what is in the copy, what both were made from. */
export function sidesOf({ copy, original, base }: ConflictObject): Side[] {
  const sides: Side[] = [];
  if (original !== null) {
    const { entry, version } = original;
    sides.push({ label: 'theirs', entryId: entry.entryId, path: entry.path, version });
  }
  sides.push({ label: 'mine', entryId: copy.entry.entryId, path: copy.entry.path, version: copy.version });
  if (base !== null && original !== null) {
    sides.push({ label: 'base', entryId: original.entry.entryId, path: null, version: base });
  }
  return sides;
}

/** The bytes of a side as text; `null` when they are too many, or no text. Links are their target. */
export async function readText(
  client: Client,
  { entryId, version }: Side,
  maxBytes: number,
  signal: AbortSignal,
): Promise<string | null> {
  if (version.target !== null) return `${version.target}\n`;
  if (version.sizeBytes > maxBytes) return null;
  return client.files.readVersion(
    entryId,
    version.versionId,
    async (pieces) => {
      const parts: Uint8Array[] = [];
      for await (const piece of pieces) parts.push(piece);
      const bytes = Buffer.concat(parts);
      if (bytes.includes(0)) return null;
      try {
        return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      } catch {
        return null;
      }
    },
    signal,
  );
}

/**
 * Writes every side as a file of its own into a folder, which is made if need be; nothing is overwritten.
 * @returns the paths, in the order of the sides
 */
export async function writeSides(
  client: Client,
  sides: readonly Side[],
  folder: string,
  signal: AbortSignal,
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const paths: string[] = [];
  const named = sides.find(({ path }) => path !== null)?.path ?? '';
  const [, extension] = splitExtension(named.slice(named.lastIndexOf('/') + 1));
  for (const { label, entryId, version } of sides) {
    const path = join(folder, label + extension);
    let flags = 'wx';
    const save = async (pieces: AsyncIterable<Uint8Array>): Promise<void> => {
      try {
        await pipeline(Readable.from(pieces, { objectMode: false }), createWriteStream(path, { flags }), {
          signal,
        });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
          // The connection broke: what is there now is ours.
          flags = 'w';
          throw error;
        }
        throw new CairnError('already-exists', `${path} is there already; choose another folder`, {
          cause: error,
        });
      }
    };
    if (version.target === null) await client.files.readVersion(entryId, version.versionId, save, signal);
    else await save(Readable.from([Buffer.from(version.target)]));
    paths.push(path);
  }
  return paths;
}
