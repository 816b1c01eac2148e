import type { ContentPlatform } from '@cairn/content';
import type { JournalChange } from '@cairn/model';
import { canonicalJson } from './canonical-json.ts';

const encoder = new TextEncoder();

/** SHA-256 of a text's UTF-8 bytes, in hex. */
export function hashText(platform: ContentPlatform, text: string): string {
  return Buffer.from(platform.sha256(encoder.encode(text))).toString('hex');
}

/**
 * The journal's chained hash after one more row: SHA-256 over the previous hash in hex followed by the row's
 * canonical JSON.
 * @param previousHash hex, 64 digits; the space's genesis hash before the first row
 */
export function chainJournalHash(
  platform: ContentPlatform,
  previousHash: string,
  change: JournalChange,
): string {
  return hashText(platform, previousHash + canonicalJson(change));
}
