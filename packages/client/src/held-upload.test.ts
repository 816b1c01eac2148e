import { randomFillSync } from 'node:crypto';
import { mkdtempSync, openAsBlob, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ByteSource, chooseProfile, createNodePlatform } from '@cairn/content';
import type { BlockId, FileContent } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from './client.ts';
import { MIN_HELD_BYTES } from './held-batch.ts';
import type { SpaceClient } from './space-client.ts';
import { type BlockPeer, startBlockPeer } from './testing/block-peer.ts';
import { createSignedInClient } from './testing/signed-in-client.ts';
import type { Upload } from './upload.ts';

const MIB = 1024 * 1024;
const platform = createNodePlatform();

function random(sizeBytes: number): Buffer<ArrayBuffer> {
  return randomFillSync(Buffer.alloc(sizeBytes));
}

/** What is read, and what is sent of it later. */
function sourceOf(bytes: Uint8Array, held: Blob): ByteSource {
  return {
    read: async (into, position) => {
      const part = bytes.subarray(position, position + into.length);
      into.set(part);
      return part.length;
    },
    hold: (start, end) => held.slice(start, end),
  };
}

describe('files that are read again when they are sent', () => {
  let peer: BlockPeer;
  let client: Client;
  let space: SpaceClient;
  let upload: Upload;
  let folder: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cairn-held-'));
    peer = await startBlockPeer(platform);
    client = createSignedInClient(peer.url, platform);
    space = await client.personalSpace();
    upload = space.createUpload();
  });
  afterEach(async () => {
    client.close();
    await peer.close();
    rmSync(folder, { recursive: true });
  });

  async function add(bytes: Uint8Array, held: Blob): Promise<FileContent> {
    const content = await upload.add(sourceOf(bytes, held), { profile: chooseProfile(bytes.length, null) });
    await upload.flush();
    return content;
  }

  /** Its chunks in order; throws when a manifest block is not there. */
  async function idsOf(content: FileContent): Promise<BlockId[]> {
    const ids: BlockId[] = [];
    for await (const { block } of space.listChunks(content)) ids.push(block);
    return ids;
  }
  const lacking = async (content: FileContent) =>
    (await idsOf(content)).filter((blockId) => !peer.blocks.has(blockId));

  it.each([0, 1, 31 * 1024, 3 * MIB, 30 * MIB])('arrive as they are (%i bytes)', async (sizeBytes) => {
    const bytes = random(sizeBytes);
    const content = await add(bytes, new Blob([bytes]));
    expect(await lacking(content)).toEqual([]);
    const plain = (await idsOf(content)).map(
      (blockId) => peer.blocks.get(blockId)?.payload ?? new Uint8Array(),
    );
    expect(Buffer.compare(Buffer.concat(plain), bytes)).toBe(0);
    expect(peer.received).toHaveLength(new Set(peer.received).size);
  });

  it('what is side by side in a file is opened once for a pack; what the server has is left out', async () => {
    const bytes = random(30 * MIB);
    const held = new Blob([bytes]);
    const opened: number[] = [];
    const counting = (from: Uint8Array): ByteSource => ({
      ...sourceOf(from, held),
      hold: (start, end) => {
        opened.push(end - start);
        return held.slice(start, end);
      },
    });
    const profile = chooseProfile(bytes.length, null);
    const content = await upload.add(counting(bytes), { profile });
    await upload.flush();
    const chunks = await idsOf(content);
    expect(opened.length).toBeLessThan(chunks.length / 10);
    // The last chunk may be so small that it was copied.
    const openedBytes = opened.reduce((sum, length) => sum + length, 0);
    expect(openedBytes).toBeGreaterThan(bytes.length - MIN_HELD_BYTES);

    opened.length = 0;
    const missing = chunks.slice(0, -1).filter((_, index) => index % 3 === 1);
    for (const blockId of missing) peer.blocks.delete(blockId);
    const second = space.createUpload();
    await second.add(counting(bytes), { profile });
    await second.flush();
    expect(opened.length).toBe(missing.length);
    expect(await lacking(content)).toEqual([]);
  });

  it('small files and large ones share packs', async () => {
    const files = [10, 40_000, 200_000, 5 * MIB, 77, 33 * 1024].map(random);
    const contents = await Promise.all(
      files.map((bytes) =>
        upload.add(sourceOf(bytes, new Blob([bytes])), { profile: chooseProfile(bytes.length, null) }),
      ),
    );
    await upload.flush();
    for (const content of contents) expect(await lacking(content)).toEqual([]);
  });

  // What is last in a file shares a pack with the manifests of it.
  it.each([9 * MIB, 20 * MIB - 64 * 1024])(
    'what changed before it was sent is left out, and sent when it is read again (at %i)',
    async (start) => {
      const bytes = random(20 * MIB);
      const changed = Buffer.from(bytes);
      const end = start + 64 * 1024;
      random(end - start).copy(changed, start);
      const first = await add(bytes, new Blob([changed]));
      const came = new Set(peer.received);
      expect(came.size).toBeGreaterThan(10);
      // All that came is what it is called: the peer checks each.
      expect(await lacking(await add(changed, new Blob([changed])))).toEqual([]);
      expect(await lacking(await add(bytes, new Blob([bytes])))).toEqual([]);
      const touched: BlockId[] = [];
      let position = 0;
      for await (const { block, sizeBytes } of space.listChunks(first)) {
        // A chunk so small that it was copied at once was not read again.
        const readAgain = sizeBytes >= MIN_HELD_BYTES;
        if (readAgain && position < end && position + sizeBytes > start) touched.push(block);
        position += sizeBytes;
      }
      expect((await idsOf(first)).filter((blockId) => !came.has(blockId))).toEqual(touched);
    },
  );

  it('a file that cannot be read any more does not stop the others', async () => {
    const path = join(folder, 'changing.bin');
    const [bytes, other] = [random(5 * MIB), random(300_000)];
    writeFileSync(path, bytes);
    const held = await openAsBlob(path);
    writeFileSync(path, random(4 * MIB));
    const content = await upload.add(sourceOf(bytes, held), { profile: chooseProfile(bytes.length, null) });
    const whole = await add(other, new Blob([other]));
    expect(await lacking(whole)).toEqual([]);
    expect(content.manifest.parts.filter(({ block }) => !peer.blocks.has(block)).length).toBeGreaterThan(0);
  });

  it('a server that calls intact bytes wrong is believed, not asked for ever', async () => {
    peer.intercept = (path, response) => {
      if (!path.endsWith('/packs')) return false;
      response.writeHead(422, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ type: 'about:blank', title: 'wrong', status: 422, code: 'block-wrong' }));
      return true;
    };
    const bytes = random(2 * MIB);
    await expect(add(bytes, new Blob([bytes]))).rejects.toMatchObject({ code: 'block-wrong' });
  });
});
