import type { EntryId, VersionId } from '@cairn/model';
import { apiPath, readContent } from '../../api/request.ts';

/** No more of a text is read. */
export const MAX_SHOWN_BYTES = 1024 * 1024;

export interface TextBeginning {
  /** `null`: it is no text. */
  readonly text: string | null;
  /** Whether there is more than what was read. */
  readonly isCut: boolean;
}

/** The beginning of a file as text, at most one MiB of it. Throws CairnError. */
export async function readBeginning(
  entryId: EntryId,
  versionId: VersionId | undefined,
  signal: AbortSignal,
): Promise<TextBeginning> {
  const version = versionId === undefined ? '' : apiPath`?versionId=${versionId}`;
  return readContent(apiPath`/files/${entryId}/content` + version, signal, async ({ body }) => {
    const bytes = new Uint8Array(MAX_SHOWN_BYTES);
    let size = 0;
    let isCut = false;
    for await (const piece of body) {
      const room = piece.subarray(0, MAX_SHOWN_BYTES - size);
      bytes.set(room, size);
      size += room.length;
      isCut = room.length < piece.length;
      if (isCut) break;
    }
    return { text: decodeBeginning(bytes.subarray(0, size), isCut), isCut };
  });
}

/** Text in UTF-8, or in UTF-16 with its mark; `null` for what is no text. A character cut at the end is left out. */
export function decodeBeginning(bytes: Uint8Array, isCut: boolean): string | null {
  const [first, second] = bytes;
  const isWide = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  if (!isWide && bytes.includes(0)) return null;
  const encoding = isWide ? (first === 0xff ? 'utf-16le' : 'utf-16be') : 'utf-8';
  const text = new TextDecoder(encoding).decode(bytes, { stream: isCut });
  return countReplaced(text) > text.length / 20 ? null : text;
}

function countReplaced(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\ufffd'); at !== -1; at = text.indexOf('\ufffd', at + 1)) count++;
  return count;
}
