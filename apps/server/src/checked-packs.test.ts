import { randomBytes } from 'node:crypto';
import { createNodePlatform, encodeBlock, type StoredBlock, useHashThreads } from '@cairn/content';
import { encodePack } from '@cairn/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './testing/test-server.ts';

const MIB = 1024 * 1024;
const platform = createNodePlatform();

const largeBlock = (): StoredBlock => encodeBlock(platform, 'chunk', randomBytes(MIB));

describe('large packs, which are checked in threads', () => {
  let server: TestServer;
  let ann: Awaited<ReturnType<TestServer['register']>>;

  beforeEach(async () => {
    server = await startTestServer();
    ann = await server.register('ann');
  });
  afterEach(() => server.close());

  function send(blocks: readonly StoredBlock[]): ReturnType<TestServer['ask']> {
    return server.ask('POST', `/api/v1/spaces/${ann.spaceId}/packs`, {
      token: ann.accessToken,
      headers: { 'content-type': 'application/vnd.cairn.pack' },
      body: new Uint8Array(Buffer.concat(encodePack(blocks))),
    });
  }

  async function listMissing(blocks: readonly StoredBlock[]): Promise<string[]> {
    const answer = await server.ask('POST', `/api/v1/spaces/${ann.spaceId}/blocks/missing`, {
      token: ann.accessToken,
      json: { blockIds: blocks.map(({ blockId }) => blockId) },
    });
    return answer.json.missing;
  }

  it('are refused whole for one wrong block, while right ones beside them are kept', async () => {
    // The first ones are hashed without threads.
    for (let count = 0; count < 4; count++) expect((await send([1, 2, 3].map(largeBlock))).status).toBe(200);
    expect(useHashThreads().running).toBeGreaterThan(0);
    const right = Array.from({ length: 4 }, () => [1, 2, 3].map(largeBlock));
    const wrong = [1, 2, 3].map(largeBlock);
    const [, damaged] = wrong as [StoredBlock, StoredBlock, StoredBlock];
    const payload = Uint8Array.from(damaged.payload);
    payload[MIB / 2] = (payload[MIB / 2] as number) ^ 1;
    wrong[1] = { ...damaged, payload };
    const answers = await Promise.all([send(wrong), ...right.map(send), send(wrong)]);
    expect(answers.map(({ status, json }) => (status === 200 ? json.stored : json.code))).toEqual([
      'block-wrong',
      ...[3, 3, 3, 3],
      'block-wrong',
    ]);
    expect(await listMissing(right.flat())).toEqual([]);
    expect(await listMissing(wrong)).toEqual(wrong.map(({ blockId }) => blockId));
  });
});
