import { createNodePlatform } from '@cairn/content';
import { createSystemEnvironment } from '@cairn/environment';
import type { DeviceId, EntryId, SpaceId, UserId } from '@cairn/model';
import { type Client, createClient } from '../client.ts';
import { createNodeTransport } from '../node/node-transport.ts';
import { createMemorySessionStore } from '../session-store.ts';

/** Of the person, the device, the space and its root. */
export const SIGNED_IN_ID = 'c'.repeat(26);

/** For tests: a client of a peer that takes every token. */
export function createSignedInClient(
  serverUrl: string,
  platform = createNodePlatform(),
  environment = createSystemEnvironment(),
): Client {
  return createClient({
    transport: createNodeTransport({ serverUrl }),
    store: createMemorySessionStore({
      serverUrl,
      user: { userId: SIGNED_IN_ID as UserId, username: 'ann', role: 'member' },
      device: { deviceId: SIGNED_IN_ID as DeviceId, name: 'Laptop' },
      spaceId: SIGNED_IN_ID as SpaceId,
      rootId: SIGNED_IN_ID as EntryId,
      accessToken: 'a',
      accessTokenExpiresAt: Date.now() + 3_600_000,
      receivedAt: Date.now(),
      refreshToken: 'r',
    }),
    environment,
    platform,
  });
}
