import { createCipheriv, createDecipheriv } from 'node:crypto';
import { join } from 'node:path';
import { CairnError } from '@cairn/model';
import type { StorePlace } from '../segments/index-file.ts';
import { findSegments, readSegmentHeader } from '../segments/recovery.ts';
import { createSealing, deriveKey, SECRET_BYTES, type Sealing } from './sealing.ts';

/** The key of a sealed store, which is kept elsewhere than the store. */
export interface StoreKey {
  /** 32 random bytes. */
  readonly current: Uint8Array;
  /** Keys that were in use before; the store is moved from them to the current one when it is opened. */
  readonly previous?: readonly Uint8Array[];
}

const KEY_FILES = ['store.keys', 'store.keys.copy'] as const;
const FORMAT = 1;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MAX_FILE_BYTES = 4096;
const LABEL = Buffer.from('cairn block store secret 1', 'latin1');
const NOTE = 'The wrapped key of this block store. Without it nothing here can be read; keep it in backups.';

function wrap(secret: Uint8Array, master: Uint8Array, nonce: Uint8Array): string {
  const cipher = createCipheriv('aes-256-gcm', deriveKey(master, 'wrap', 32), nonce);
  cipher.setAAD(LABEL);
  return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]).toString('hex');
}

function unwrap(wrapped: Buffer, master: Uint8Array): Buffer | null {
  if (wrapped.length !== NONCE_BYTES + SECRET_BYTES + TAG_BYTES) return null;
  const key = deriveKey(master, 'wrap', 32);
  const decipher = createDecipheriv('aes-256-gcm', key, wrapped.subarray(0, NONCE_BYTES));
  decipher.setAAD(LABEL);
  decipher.setAuthTag(wrapped.subarray(-TAG_BYTES));
  const secret = decipher.update(wrapped.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    decipher.final();
    return secret;
  } catch {
    return null;
  }
}

async function readText(place: StorePlace, name: string): Promise<string> {
  const file = await place.files.open(join(place.directory, name), 'read');
  try {
    const bytes = Buffer.alloc(MAX_FILE_BYTES);
    return bytes.toString('utf8', 0, await file.read(bytes, 0));
  } finally {
    await file.close();
  }
}

/** The wrapped secret; of a damaged file, bytes that no key opens. */
function parseKeyFile(text: string): Buffer {
  try {
    const { format, wrapped } = JSON.parse(text) as { format?: unknown; wrapped?: unknown };
    return Buffer.from(format === FORMAT && typeof wrapped === 'string' ? wrapped : '', 'hex');
  } catch {
    return Buffer.alloc(0);
  }
}

/** What is in the key files, `null` for one that is not there; a damaged one holds nothing that can be unwrapped. */
async function readKeyFiles(place: StorePlace): Promise<(Buffer | null)[]> {
  const names = new Set(await place.files.list(place.directory));
  const contents: (Buffer | null)[] = [];
  for (const name of KEY_FILES) {
    if (!names.has(name)) {
      contents.push(null);
      continue;
    }
    try {
      contents.push(parseKeyFile(await readText(place, name)));
    } catch (error) {
      // A sector that cannot be read is what the second file is for.
      if ((error as { code?: unknown }).code !== 'EIO') throw error;
      contents.push(Buffer.alloc(0));
    }
  }
  return contents;
}

async function writeKeyFile(place: StorePlace, name: string, wrapped: string): Promise<void> {
  const { directory, files } = place;
  const path = join(directory, name);
  if ((await files.list(directory)).includes(`${name}.new`)) await files.remove(`${path}.new`);
  const file = await files.open(`${path}.new`, 'create');
  try {
    const text = JSON.stringify({ note: NOTE, format: FORMAT, wrapped }, null, 2);
    await file.write([Buffer.from(`${text}\n`)], 0);
    await file.datasync();
  } finally {
    await file.close();
  }
  await files.rename(`${path}.new`, path);
  await files.syncDirectory(directory);
}

async function writeKeyFiles(place: StorePlace, secret: Uint8Array, key: StoreKey): Promise<void> {
  for (const name of KEY_FILES) {
    const nonce = place.environment.random.bytes(NONCE_BYTES);
    await writeKeyFile(place, name, wrap(secret, key.current, nonce));
  }
}

/** The key ids that the segments name, with `null` for segments that are not sealed. */
async function readKeyIds(place: StorePlace): Promise<Set<string | null>> {
  const keyIds = new Set<string | null>();
  for (const found of await findSegments(place.files, place.segmentsDirectory)) {
    const file = await place.files.open(found.path, 'read');
    try {
      const header = await readSegmentHeader(file);
      if (header !== null) keyIds.add(header.keyId);
    } finally {
      await file.close();
    }
  }
  return keyIds;
}

function refuse(
  code: 'not-configured' | 'wrong-credentials',
  place: StorePlace,
  message: string,
): CairnError {
  return new CairnError(code, `the block store in ${place.directory} ${message}; nothing was changed`);
}

/**
 * Opens the keys of a store, or makes them for a new one; `null` for a store that is not sealed. Moves a store to the
 * current key, and mends a key file by the other one. Only for who holds the folder's lock, and before anything else is
 * done to the store. Throws `not-configured` when key and store do not belong together, `wrong-credentials` when no
 * given key fits, and what the disk throws.
 */
export async function openStoreKeys(place: StorePlace, key: StoreKey | undefined): Promise<Sealing | null> {
  const masters = key === undefined ? [] : [key.current, ...(key.previous ?? [])];
  if (masters.some((master) => master.length !== KEY_BYTES)) {
    throw new RangeError(`the key of a block store has ${KEY_BYTES} bytes`);
  }
  const keyFiles = await readKeyFiles(place);
  const keyIds = await readKeyIds(place);
  const isSealed = [...keyIds].some((keyId) => keyId !== null);
  const hasKeyFiles = keyFiles.some((each) => each !== null);
  if (key === undefined) {
    if (!isSealed && !hasKeyFiles) return null;
    throw refuse(
      'not-configured',
      place,
      'is sealed and no key was given; give the key that it was made with',
    );
  }
  const { random, log } = place.environment;
  if (!hasKeyFiles) {
    if (isSealed) {
      throw refuse(
        'not-configured',
        place,
        `is sealed and its key files are gone; put ${KEY_FILES.join(' or ')} back from a backup`,
      );
    }
    if (keyIds.size > 0) {
      throw refuse(
        'not-configured',
        place,
        'was made without a key, so a key given now would leave what is there readable; go on without a key, or begin an empty store with it',
      );
    }
    const secret = random.bytes(SECRET_BYTES);
    await writeKeyFiles(place, secret, key);
    return createSealing(secret, random);
  }
  if (keyIds.has(null) && !isSealed) {
    throw refuse('not-configured', place, 'has key files, but what is in it was stored without a key');
  }
  let isCurrent = true;
  let sealing: Sealing | null = null;
  let secret: Buffer | null = null;
  let isUnwrapped = false;
  for (const wrapped of keyFiles) {
    const at = wrapped === null ? -1 : masters.findIndex((master) => unwrap(wrapped, master) !== null);
    if (at !== 0) isCurrent = false;
    if (wrapped === null || at < 0) continue;
    isUnwrapped = true;
    const candidate = unwrap(wrapped, masters[at] as Uint8Array) as Buffer;
    const opened = createSealing(candidate, random);
    if (isSealed && !keyIds.has(opened.keyId)) continue;
    secret ??= candidate;
    sealing ??= opened;
  }
  if (sealing === null || secret === null) {
    if (isUnwrapped) throw refuse('not-configured', place, 'has the key files of another store');
    throw refuse(
      'wrong-credentials',
      place,
      'does not open with the given key; give the key that it was made with',
    );
  }
  if (!isCurrent) {
    await writeKeyFiles(place, secret, key);
    log.info('block-store.keys-wrapped-anew', { directory: place.directory });
  }
  return sealing;
}
