import { createNodePlatform } from '@cairn/content';
import { createSystemEnvironment } from '@cairn/environment';
import type { ChangesetId, DeviceId, EntryId, SpaceId, UserId } from '@cairn/model';
import { expect, it } from 'vitest';
import { createClient } from './client.ts';
import { createNodeTransport } from './node/node-transport.ts';
import { createMemorySessionStore } from './session-store.ts';
import { sendJson, startPeer } from './testing/peer.ts';

const ID = 'a'.repeat(26);
const CURSOR = `${ID}.1.${'0'.repeat(16)}`;
const RESULT = {
  changesetId: ID,
  sequence: 1,
  journal: { before: CURSOR, after: CURSOR },
  results: [{ entryId: ID, sequence: 1, versionId: null }],
};

it('asks again for a lost answer with the same changeset, id and all [S-56 S-61]', async () => {
  let asked = 0;
  const peer = await startPeer((_request, response) => {
    // The first two were carried out, and their answers are lost.
    if (++asked < 3) response.destroy();
    else sendJson(response, 200, RESULT);
  });
  const client = createClient({
    transport: createNodeTransport({ serverUrl: peer.url, idleTimeoutMs: 2_000 }),
    store: createMemorySessionStore({
      serverUrl: peer.url,
      user: { userId: ID as UserId, username: 'ann', role: 'member' },
      device: { deviceId: ID as DeviceId, name: 'Laptop' },
      spaceId: ID as SpaceId,
      rootId: ID as EntryId,
      accessToken: 'access-1',
      accessTokenExpiresAt: Date.now() + 3_600_000,
      receivedAt: Date.now(),
      refreshToken: 'refresh-1',
    }),
    environment: createSystemEnvironment(),
    platform: createNodePlatform(),
  });
  try {
    const space = await client.personalSpace();
    const changeset = {
      changesetId: ID as ChangesetId,
      changes: [
        {
          kind: 'create',
          entryId: ID as EntryId,
          parentId: ID as EntryId,
          name: 'a',
          entry: { kind: 'folder' },
        },
      ],
    } as const;
    expect(await space.commit(changeset)).toEqual(RESULT);
    const bodies = peer.requests.map(({ body }) => JSON.parse(body.toString()));
    expect(bodies).toEqual([changeset, changeset, changeset]);
  } finally {
    client.close();
    await peer.close();
  }
});
