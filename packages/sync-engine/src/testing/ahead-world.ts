import { blockIdOf, contentIdOf, createNodePlatform } from '@cairn/content';
import { createSimulatedEnvironment, type SimulatedEnvironment } from '@cairn/environment';
import { createMemoryFilesystem, type MemoryFilesystem } from '@cairn/filesystem';
import {
  type AnnouncedChunk,
  type AnnouncedCopies,
  type BlockId,
  CairnError,
  type ContentId,
  createId,
  type EntryId,
  type FileEntry,
  type ManifestPart,
  type TransferId,
} from '@cairn/model';
import type { LocalNode } from '@cairn/planner';
import { createMemoryTreeDisk } from '@cairn/tree-store';
import { type AheadLimits, ReceivingAhead } from '../execute/receive-ahead.ts';
import type { ReceivedFile } from '../execute/received-chunks.ts';
import { LocalTree } from '../local-tree.ts';
import type { SpaceConnection } from '../ports.ts';

export const platform = createNodePlatform();
export const idOf = <Id extends string>(letter: string): Id => letter.repeat(26) as Id;
const ROOT = createId<EntryId>(new Uint8Array(16));
export const FILE = idOf<EntryId>('f');

interface AheadWorld {
  environment: SimulatedEnvironment;
  disk: MemoryFilesystem;
  /** What the server has. */
  blocks: Map<BlockId, Uint8Array>;
  /** Each read of a block waits for this. */
  gate(): Promise<void>;
  /** Asked before each piece of a block but the first. */
  goOn(): void;
  leftOut: Set<string>;
  isPaused: boolean;
  /** What the device knows of its own files. */
  known: LocalNode[];
}

function createWorld(): AheadWorld {
  const environment = createSimulatedEnvironment({ seed: 1 });
  return {
    environment,
    disk: createMemoryFilesystem({ environment }),
    blocks: new Map(),
    gate: async () => undefined,
    goOn: () => undefined,
    leftOut: new Set(),
    isPaused: false,
    known: [],
  };
}

/** A device that receives ahead, its disk, and what the server has. */
export const world: AheadWorld = createWorld();

export function renewWorld(): void {
  Object.assign(world, createWorld());
}

/** Pieces of the list, of another length than its chunks. */
const space: Pick<SpaceConnection, 'readContents' | 'listChunks'> = {
  async *listChunks({ manifest }) {
    yield* manifest.parts;
  },
  async *readContents(items, { signal }) {
    for (const { content } of items) {
      let position = 0;
      for (const part of content.manifest.parts) {
        await world.gate();
        signal?.throwIfAborted();
        const bytes = world.blocks.get(part.block);
        if (bytes === undefined) throw new CairnError('not-found', 'there is no such block');
        if (bytes.length !== part.sizeBytes) throw new CairnError('block-wrong', 'it has another size');
        for (let start = 0; start < bytes.length; start += 5) {
          if (start > 0) world.goOn();
          const piece = bytes.subarray(start, start + 5);
          yield { index: 0, position, bytes: piece, last: false };
          position += piece.length;
        }
      }
    }
  },
};

export function createAhead(limits: Partial<AheadLimits> = {}): ReceivingAhead {
  const trees = createMemoryTreeDisk(ROOT).open();
  const local = new LocalTree(trees.local, ROOT);
  for (const node of world.known) local.put(node);
  return new ReceivingAhead(
    {
      filesystem: world.disk.filesystem,
      space: space as SpaceConnection,
      trees,
      local,
      platform,
      environment: world.environment,
      isIgnored: (path) => world.leftOut.has(path),
      isLeftOut: (entryId) => world.leftOut.has(entryId),
    },
    () => world.isPaused,
    { keepFreeBytes: 0, ...limits },
  );
}

export async function start(limits: Partial<AheadLimits> = {}): Promise<ReceivingAhead> {
  const ahead = createAhead(limits);
  await ahead.start();
  return ahead;
}

export function store(text: string, position = 0): AnnouncedChunk {
  const bytes = new TextEncoder().encode(text);
  const block = blockIdOf(platform, 'chunk', bytes);
  world.blocks.set(block, bytes);
  return { position, block, sizeBytes: bytes.length };
}

export function announce(
  ahead: ReceivingAhead,
  chunks: readonly AnnouncedChunk[],
  {
    transfer = 't',
    entryId = FILE,
    sizeBytes = 1000,
    name = 'film',
    copies = undefined as AnnouncedCopies | undefined,
  } = {},
): void {
  const file = { entryId, parentId: ROOT, name, sizeBytes };
  ahead.take({ transferId: idOf<TransferId>(transfer), ...file, chunks, copies });
}

/** A file of the device, of these chunks; returns its content's id. */
export function putFile(name: string, texts: readonly string[], entryId = FILE): ContentId {
  world.disk.user.writeFile(name, texts.join(''));
  const parts: ManifestPart[] = texts.map((text) => {
    const bytes = new TextEncoder().encode(text);
    return { block: blockIdOf(platform, 'chunk', bytes), sizeBytes: bytes.length };
  });
  const manifest = { profile: 't32-64k', depth: 0, parts } as const;
  const sizeBytes = texts.join('').length;
  const contentId = contentIdOf(platform, manifest, sizeBytes);
  world.known.push({
    entryId,
    parentId: ROOT,
    name,
    kind: 'file',
    identity: name,
    fingerprint: name,
    sizeBytes,
    executable: false,
    modifiedAtUs: 0,
    content: { contentId, sizeBytes, manifest },
    target: null,
    state: 'known',
  });
  return contentId;
}

/** Lets everything that waits for nothing but others go on. */
export async function pass(): Promise<void> {
  for (let turn = 0; turn < 300; turn++) await Promise.resolve();
  await world.environment.advance(0);
}

export const claim = (ahead: ReceivingAhead, entryId = FILE) =>
  ahead.claim({ entryId } as FileEntry, 'download-1');

export async function textOf({ temporary }: ReceivedFile): Promise<string> {
  const into = new Uint8Array(2000);
  return new TextDecoder().decode(into.subarray(0, await temporary.read(into, 0)));
}
