import { readFileSync } from 'node:fs';
import type { StoreKey } from '@cairn/block-store';
import { CairnError } from '@cairn/model';

const KEY_BYTES = 32;

function parseOne(text: string): Uint8Array | null {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  if (!/^[A-Za-z0-9+/]{43}=?$/.test(text)) return null;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === KEY_BYTES ? bytes : null;
}

/**
 * Reads the key of the block store, and after it any that were in use before, separated by commas or white space. Each
 * is 32 bytes, as 64 hex digits or in base64. Throws `usage` for anything else, without showing it.
 * @param source where the text came from, for the message
 */
export function parseBlocksKey(text: string, source: string): StoreKey {
  const keys = text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map(parseOne);
  const [current, ...previous] = keys;
  if (current === undefined || current === null || previous.includes(null)) {
    throw new CairnError(
      'usage',
      `${source} is no key for the block store; give 32 random bytes as 64 hex digits or in base64, such as \`openssl rand -hex 32\` makes`,
    );
  }
  return { current, previous: previous as Uint8Array[] };
}

/** Reads the key from a file; throws `usage` when that cannot be read or holds no key. */
export function readBlocksKeyFile(path: string): StoreKey {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new CairnError(
      'usage',
      `the key file ${path} cannot be read; check its path, its rights, and that its disk is there`,
      { cause: error },
    );
  }
  return parseBlocksKey(text, `what is in ${path}`);
}

/**
 * The key that the environment names, `null` for none: CAIRN_BLOCKS_KEY_FILE, or CAIRN_BLOCKS_KEY. Throws `usage` for one that is none.
 */
export function loadBlocksKey(variables: Readonly<Record<string, string | undefined>>): StoreKey | null {
  const path = variables['CAIRN_BLOCKS_KEY_FILE'] ?? '';
  if (path !== '') return readBlocksKeyFile(path);
  const text = variables['CAIRN_BLOCKS_KEY'] ?? '';
  return text === '' ? null : parseBlocksKey(text, 'CAIRN_BLOCKS_KEY');
}
