import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSegmentBlockStore } from '@cairn/block-store';
import {
  chooseProfile,
  createNodePlatform,
  cutContent,
  encodeNamedBlock,
  type StoredBlock,
} from '@cairn/content';
import { createSystemEnvironment } from '@cairn/environment';
import { createMemoryEventBus } from '@cairn/event-bus';
import { openSqliteMetadataStore } from '@cairn/metadata-store';
import type { Changeset, ChangesetId, EntryId, FileContent, SpaceId } from '@cairn/model';
import {
  createAccessServices,
  createDataServices,
  type DataServices,
  ensureEpoch,
  type Principal,
} from '@cairn/services';

export const FILE_BYTES = Buffer.from(
  Array.from({ length: 200_000 }, (_, index) => (index * 2_654_435_761) >>> 24),
);
export const ENTRY_ID = 'f'.repeat(26) as EntryId;

const platform = createNodePlatform();

export interface TestServer {
  readonly data: DataServices;
  readonly principal: Principal;
  readonly spaceId: SpaceId;
  readonly rootId: EntryId;
  close(): Promise<void>;
}

/** The server's stores on a folder, and one account; made when it is not there yet. */
export async function openServer(root: string): Promise<TestServer> {
  const environment = createSystemEnvironment();
  mkdirSync(join(root, 'blocks'), { recursive: true });
  const blocks = await openSegmentBlockStore({ directory: join(root, 'blocks'), environment });
  const store = await openSqliteMetadataStore({ path: join(root, 'metadata.sqlite'), environment });
  const bus = createMemoryEventBus({ log: environment.log });
  await ensureEpoch(store, environment, null);
  const data = createDataServices({ store, blocks, bus, platform, environment });
  const facts = join(root, 'facts.json');
  if (!existsSync(facts)) {
    const access = createAccessServices({
      store,
      bus,
      environment,
      secret: new Uint8Array(32),
      signUp: 'open',
      setUpCode: null,
      passwordCost: { memoryKib: 64, passes: 1, lanes: 1 },
    });
    const owner = await access.accounts.register(
      { username: 'ann', password: 'correct horse', deviceName: 'test' },
      { address: 'test' },
    );
    const { spaceId, rootId } = owner;
    const principal = { userId: owner.user.userId, deviceId: owner.device.deviceId, role: 'administrator' };
    writeFileSync(facts, JSON.stringify({ principal, spaceId, rootId }));
  }
  const { principal, spaceId, rootId } = JSON.parse(readFileSync(facts, 'utf8'));
  return {
    data,
    principal,
    spaceId,
    rootId,
    async close() {
      await store.close();
      await blocks.close();
    },
  };
}

export async function cutFile(): Promise<{ content: FileContent; blocks: StoredBlock[] }> {
  const blocks: StoredBlock[] = [];
  const source = {
    async read(into: Uint8Array, position: number) {
      const piece = FILE_BYTES.subarray(position, position + into.length);
      into.set(piece);
      return piece.length;
    },
  };
  const content = await cutContent(platform, source, {
    profile: chooseProfile(FILE_BYTES.length, null),
    emit: ({ blockId, kind, plain }) => {
      blocks.push(encodeNamedBlock(platform, blockId, kind, plain));
    },
  });
  return { content, blocks };
}

/** The same at every try, as a client repeats it whose answer was lost. */
export function makeChangeset(rootId: EntryId, content: FileContent): Changeset {
  const entry = { kind: 'file', content, executable: false, modifiedAtUs: 1_600_000_000_000_000 } as const;
  return {
    changesetId: 'c'.repeat(26) as ChangesetId,
    changes: [{ kind: 'create', entryId: ENTRY_ID, parentId: rootId, name: 'file', entry }],
  };
}

export async function doServerOperation(name: string, root: string): Promise<void> {
  if (name !== 'server-commit') throw new Error(`there is no operation ${name}`);
  const { data, principal, spaceId, rootId, close } = await openServer(root);
  const { content, blocks } = await cutFile();
  await data.blocks.storeBlocks(principal, spaceId, blocks);
  process.stdout.write('stored\n');
  await data.spaces.commitChangeset(principal, spaceId, makeChangeset(rootId, content));
  process.stdout.write('committed\n');
  await close();
}
