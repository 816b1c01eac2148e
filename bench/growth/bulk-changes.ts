import { randomBytes } from 'node:crypto';
import { createClient, createMemorySessionStore, createNodeTransport, type SpaceClient } from '@cairn/client';
import { createNodePlatform } from '@cairn/content';
import { createSystemEnvironment } from '@cairn/environment';
import { type Change, type ChangesetId, createId, type EntryId, type FileContent } from '@cairn/model';
import type { World } from '../world/two-device-world.ts';

const CONTENTS = 16;
const MAX_BYTES = 1024;

interface BulkFile {
  readonly entryId: EntryId;
  name: string;
  bytes: Buffer;
  sequence: number;
}

/** Another device of the account, without a folder: it makes changes faster than any daemon could. */
export interface BulkDevice {
  /** What the account has after the last change: bytes by name. */
  expected(): ReadonlyMap<string, Buffer>;
  /** So many changes, alternately new bytes and a new name for each file in turn. */
  change(count: number): Promise<void>;
  close(): void;
}

/** Signs in and makes so many small files at the top of the account's space. */
export async function createBulkDevice({ account }: World, files: number): Promise<BulkDevice> {
  const client = createClient({
    transport: createNodeTransport({ serverUrl: account.serverUrl }),
    store: createMemorySessionStore(),
    environment: createSystemEnvironment(),
    platform: createNodePlatform(),
  });
  const { username, password } = account;
  await client.account.login({ username, password, deviceName: 'Bulk' });
  const space = await client.personalSpace();
  const contents = await uploadContents(space);
  const contentOf = (index: number) => contents[index % contents.length] as (typeof contents)[number];
  let rounds = 0;
  let next = 0;

  const made: BulkFile[] = Array.from({ length: files }, (_value, index) => ({
    entryId: createId<EntryId>(randomBytes(16)),
    name: `file ${index}.bin`,
    bytes: contentOf(index).bytes,
    sequence: 0,
  }));
  await commit(
    made,
    made.map(({ entryId, name }, index) => ({
      kind: 'create',
      entryId,
      parentId: space.rootId,
      name,
      entry: {
        kind: 'file',
        content: contentOf(index).content,
        executable: false,
        modifiedAtUs: Date.now() * 1000,
      },
    })),
  );

  async function commit(of: readonly BulkFile[], changes: readonly Change[]): Promise<void> {
    const { results } = await space.commit({ changesetId: createId<ChangesetId>(randomBytes(16)), changes });
    results.forEach(({ sequence }, index) => {
      const file = of[index];
      if (file !== undefined) file.sequence = sequence;
    });
  }

  function changeFile(file: BulkFile, index: number): Change {
    const { entryId, sequence: baseSequence } = file;
    if (rounds % 2 === 0) {
      file.name = `file ${index} of round ${rounds}.bin`;
      return { kind: 'update', entryId, baseSequence, parentId: space.rootId, name: file.name };
    }
    const { bytes, content } = contentOf(rounds + index);
    file.bytes = bytes;
    return { kind: 'update', entryId, baseSequence, content, modifiedAtUs: Date.now() * 1000 };
  }

  return {
    expected: () => new Map(made.map(({ name, bytes }) => [name, bytes])),
    async change(count) {
      for (let left = count; left > 0; ) {
        // A changeset never reaches into the next round: no two of its changes are to one file.
        if (next === 0) rounds++;
        const of = made.slice(next, next + Math.min(left, made.length - next));
        const first = next;
        await commit(
          of,
          of.map((file, index) => changeFile(file, first + index)),
        );
        left -= of.length;
        next = (next + of.length) % made.length;
      }
    },
    close: () => client.close(),
  };
}

async function uploadContents(space: SpaceClient): Promise<{ bytes: Buffer; content: FileContent }[]> {
  const upload = space.createUpload();
  const contents: { bytes: Buffer; content: FileContent }[] = [];
  for (let index = 0; index < CONTENTS; index++) {
    const bytes = randomBytes(MAX_BYTES - index);
    const read = async (into: Uint8Array, position: number) => bytes.copy(into, 0, position);
    contents.push({ bytes, content: await upload.add({ read }, { profile: 't32-64k' }) });
  }
  await upload.flush();
  return contents;
}
