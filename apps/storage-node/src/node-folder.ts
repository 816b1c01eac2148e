import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { CairnError } from '@cairn/model';
import { createFencingTokens, type FencingTokens } from '@cairn/node-api';
import { z } from 'zod';

/** What a node keeps besides its blocks. */
export interface NodeFolder {
  /** Who the node is in which cluster; `null` before it joined. */
  readonly membership: Membership | null;
  /** Starts of a node on this folder, this one included. */
  readonly bootCount: number;
  /** New when the folder of the blocks is. */
  readonly storeUuid: string;
  readonly blocks: string;
  readonly fencing: FencingTokens;
  saveMembership(membership: Membership): Promise<void>;
}

const membershipSchema = z.object({
  nodeId: z.string().min(1).max(64),
  /** 32 bytes in hex. */
  key: z.string().regex(/^[0-9a-f]{64}$/),
  /** The address of the server that it joined at. */
  server: z.url(),
});
export type Membership = z.infer<typeof membershipSchema>;

const MEMBERSHIP = 'membership.json';
const BOOT_COUNT = 'boot-count';
const FENCING_TOKENS = 'fencing-tokens.json';
const fencingSchema = z.record(z.string().max(64), z.int().nonnegative());
const STORE_UUID = 'store-uuid';

async function readText(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function syncFolder(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a file for its owner alone so that after a crash the old or the new text is there, whole. */
async function writeText(directory: string, name: string, text: string): Promise<void> {
  const temporary = join(directory, `.${name}.new`);
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, join(directory, name));
  await syncFolder(directory);
}

async function readCount(directory: string, name: string): Promise<number> {
  const text = await readText(join(directory, name));
  if (text === null) return 0;
  if (!/^\d{1,15}$/.test(text)) throw damaged(directory, name);
  return Number(text);
}

function damaged(directory: string, name: string): CairnError {
  return new CairnError(
    'not-configured',
    `${join(directory, name)} is damaged; let the node join anew with an empty folder, its blocks are on the other nodes`,
  );
}

async function readFencing(directory: string): Promise<Record<string, number>> {
  const text = await readText(join(directory, FENCING_TOKENS));
  if (text === null) return {};
  try {
    return fencingSchema.parse(JSON.parse(text));
  } catch {
    throw damaged(directory, FENCING_TOKENS);
  }
}

/**
 * Opens the folder of a node and counts this start. Call it once the folder is locked.
 * @param createUuid for a folder of blocks that has none
 * @throws CairnError `not-configured` for damaged files, and what the disk says
 */
export async function openNodeFolder(directory: string, createUuid: () => string): Promise<NodeFolder> {
  const blocks = join(directory, 'blocks');
  await mkdir(blocks, { recursive: true, mode: 0o700 });
  const text = await readText(join(directory, MEMBERSHIP));
  let membership: Membership | null = null;
  if (text !== null) {
    try {
      membership = membershipSchema.parse(JSON.parse(text));
    } catch {
      throw damaged(directory, MEMBERSHIP);
    }
  }
  const bootCount = (await readCount(directory, BOOT_COUNT)) + 1;
  await writeText(directory, BOOT_COUNT, String(bootCount));
  let storeUuid = await readText(join(blocks, STORE_UUID));
  if (storeUuid === null || storeUuid === '') {
    storeUuid = createUuid();
    await writeText(blocks, STORE_UUID, storeUuid);
  }
  const fencing = createFencingTokens(await readFencing(directory), (tokens) =>
    writeText(directory, FENCING_TOKENS, JSON.stringify(tokens)),
  );
  return {
    membership,
    bootCount,
    storeUuid,
    blocks,
    fencing,
    saveMembership: (joined) => writeText(directory, MEMBERSHIP, JSON.stringify(joined)),
  };
}
