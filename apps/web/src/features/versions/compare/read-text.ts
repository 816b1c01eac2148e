import { apiPath, readContent } from '../../../api/request.ts';
import { MAX_TEXT_CHARACTERS } from './compare-texts.ts';

/** Longer contents are not read as text. */
export const MAX_TEXT_BYTES = MAX_TEXT_CHARACTERS;

/** A saved content: of a file, or the target of a link. */
export interface ContentRef {
  readonly entryId: string;
  readonly versionId: string;
  readonly sizeBytes: number;
  /** Links. */
  readonly target: string | null;
}

export type TextRead =
  | { readonly kind: 'text'; readonly text: string }
  /** Too long, or no text in UTF-8. */
  | { readonly kind: 'too-large' | 'not-text' };

/**
 * Reads a version as text, if it is one and short enough. Nothing else is fetched whole.
 * @throws CairnError as `ask`
 */
export async function readText(
  { entryId, versionId, sizeBytes, target }: ContentRef,
  signal: AbortSignal,
): Promise<TextRead> {
  if (target !== null) return { kind: 'text', text: `${target}\n` };
  if (sizeBytes > MAX_TEXT_BYTES) return { kind: 'too-large' };
  if (sizeBytes === 0) return { kind: 'text', text: '' };
  const path = apiPath`/files/${entryId}/content?versionId=${versionId}`;
  return readContent(path, signal, async ({ body }) => {
    const bytes = new Uint8Array(sizeBytes);
    let size = 0;
    for await (const piece of body) {
      bytes.set(piece, size);
      size += piece.length;
    }
    return decodeText(bytes.subarray(0, size));
  });
}

/** Bytes as text: UTF-8 without zero bytes, which no text has. */
export function decodeText(bytes: Uint8Array): TextRead {
  if (bytes.includes(0)) return { kind: 'not-text' };
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { kind: 'not-text' };
  }
}
