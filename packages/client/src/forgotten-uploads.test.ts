import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createNodePlatform } from '@cairn/content';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Client } from './client.ts';
import { type BlockPeer, startBlockPeer } from './testing/block-peer.ts';
import { createSignedInClient } from './testing/signed-in-client.ts';

const platform = createNodePlatform();
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

let peer: BlockPeer;
let client: Client;
beforeEach(async () => {
  peer = await startBlockPeer(platform);
  client = createSignedInClient(peer.url, platform);
});
afterEach(async () => {
  client.close();
  await peer.close();
});

/** @returns something that the upload knows for as long as it is in memory */
async function uploadOne(signal: AbortSignal, text: string): Promise<WeakRef<object>> {
  const space = await client.personalSpace();
  const onProgress = (): void => undefined;
  const upload = space.createUpload({ signal, onProgress });
  const bytes = Buffer.from(text);
  await upload.add({ read: async (into, position) => bytes.copy(into, 0, position) }, { profile: 't32-64k' });
  await upload.flush();
  return new WeakRef(onProgress);
}

it('an upload that has ended is forgotten, though the signal that would have ended it lives on', async () => {
  const stop = new AbortController();
  const left: WeakRef<object>[] = [];
  for (let number = 0; number < 5; number++) left.push(await uploadOne(stop.signal, `file ${number}`));
  const remaining = (): number => left.filter((reference) => reference.deref() !== undefined).length;
  // The last one may still be known to the connection that it used.
  for (let round = 0; round < 50 && remaining() > 1; round++) {
    await setImmediate();
    collect();
  }
  expect(remaining()).toBeLessThanOrEqual(1);
  expect(stop.signal.aborted).toBe(false);
});
