import {
  type Client,
  createClient,
  createMemorySessionStore,
  createNodeTransport,
  type SessionStore,
} from '@cairn/client';
import { createNodePlatform } from '@cairn/content';
import { createSystemEnvironment } from '@cairn/environment';
import type { Entry, EntryId } from '@cairn/model';
import type { ServerView } from './stage.ts';

export const ACCOUNT = { username: 'ann', password: 'correct horse battery' };

/** A client of its own of the server at this address. */
export function createTestClient(serverUrl: string, store: SessionStore, maxAttempts = 4): Client {
  return createClient({
    transport: createNodeTransport({ serverUrl }),
    store,
    environment: createSystemEnvironment(),
    platform: createNodePlatform(),
    maxAttempts,
  });
}

/** Signs an observer up (the first device of the account) and looks at the server over HTTP. */
export async function observe(
  serverUrl: string,
): Promise<{ readonly view: ServerView; readonly client: Client }> {
  const client = createTestClient(serverUrl, createMemorySessionStore());
  await client.account.register({ ...ACCOUNT, deviceName: 'observer' });
  return { view: createHttpView(client), client };
}

export function createHttpView(client: Client): ServerView {
  return {
    async sequence() {
      const { spaceId } = await client.session();
      const { spaces } = await client.account.me();
      const space = spaces.find((each) => each.spaceId === spaceId);
      if (space === undefined) throw new Error('the observer has no space');
      return space.sequence;
    },
    async entries() {
      const space = await client.personalSpace();
      const all: Entry[] = [];
      for (let after: EntryId | null = null; ; ) {
        const page = await space.snapshot(after);
        all.push(...page.entries);
        after = page.next;
        if (after === null) return all;
      }
    },
    versions: (entryId) => client.files.versions(entryId),
    async restoreTrash() {
      const items: EntryId[] = [];
      for await (const { entryId } of client.files.trash()) items.push(entryId);
      for (const entryId of items) await client.files.restore(entryId);
    },
  };
}
