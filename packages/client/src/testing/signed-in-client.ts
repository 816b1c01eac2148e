import { createNodePlatform } from '@cairn/content';
import { createSystemEnvironment } from '@cairn/environment';
import type { DeviceId, EntryId, SpaceId, UserId } from '@cairn/model';
import { type Client, createClient } from '../client.ts';
import { createNodeTransport } from '../node/node-transport.ts';
import { createMemorySessionStore } from '../session-store.ts';

const ID = 'c'.repeat(26);

/** For tests: a client of a peer that takes every token. */
export function createSignedInClient(serverUrl: string, platform = createNodePlatform()): Client {
  return createClient({
    transport: createNodeTransport({ serverUrl }),
    store: createMemorySessionStore({
      serverUrl,
      user: { userId: ID as UserId, username: 'ann', role: 'member' },
      device: { deviceId: ID as DeviceId, name: 'Laptop' },
      spaceId: ID as SpaceId,
      rootId: ID as EntryId,
      accessToken: 'a',
      accessTokenExpiresAt: Date.now() + 3_600_000,
      receivedAt: Date.now(),
      refreshToken: 'r',
    }),
    environment: createSystemEnvironment(),
    platform,
  });
}
