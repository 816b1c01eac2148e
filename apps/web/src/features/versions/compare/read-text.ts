import { CairnError } from '@cairn/model';
import { apiPath, fetchContent } from '../../../api/request.ts';
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
  const response = await fetchContent(apiPath`/files/${entryId}/content?versionId=${versionId}`, { signal });
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    signal.throwIfAborted();
    throw new CairnError('server-unreachable', 'the connection broke while the file was read', {
      cause: error,
    });
  }
  return decodeText(bytes);
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
