import { type ByteSource, chooseProfile, createNodePlatform, type StoredBlock } from '@cairn/content';
import { type Cursor, type FileContent, formatCursor } from '@cairn/model';
import { encodePack } from '@cairn/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from './client.ts';
import type { SpaceClient } from './space-client.ts';
import { type BlockPeer, startBlockPeer } from './testing/block-peer.ts';
import { sendProblem } from './testing/peer.ts';
import { createSignedInClient } from './testing/signed-in-client.ts';

const platform = createNodePlatform();
const MIB = 1024 * 1024;

/** Bytes that look random, the same for the same seed. */
function noise(size: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = seed * 2654435761 + 1;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return new Uint8Array(words.buffer, 0, size);
}

function sourceOf(bytes: Uint8Array): ByteSource {
  return {
    read: async (into, position) => {
      const part = bytes.subarray(position, position + into.length);
      into.set(part);
      return part.length;
    },
  };
}

describe('contents over the wire', () => {
  let peer: BlockPeer;
  let client: Client;
  let space: SpaceClient;

  beforeEach(async () => {
    peer = await startBlockPeer(platform);
    client = createSignedInClient(peer.url, platform);
    space = await client.personalSpace();
  });
  afterEach(async () => {
    client.close();
    await peer.close();
  });

  async function send(files: readonly Uint8Array[]): Promise<FileContent[]> {
    const upload = space.createUpload();
    const contents: FileContent[] = [];
    for (const bytes of files) {
      contents.push(await upload.add(sourceOf(bytes), { profile: chooseProfile(bytes.length, null) }));
    }
    await upload.flush();
    return contents;
  }

  async function receive(
    items: readonly { content: FileContent; startAt?: number }[],
  ): Promise<Uint8Array[]> {
    const files = items.map(({ content, startAt = 0 }) => new Uint8Array(content.sizeBytes - startAt));
    const ended: number[] = [];
    for await (const piece of space.readContents(items, {})) {
      const startAt = items[piece.index]?.startAt ?? 0;
      files[piece.index]?.set(piece.bytes, piece.position - startAt);
      if (piece.last) ended.push(piece.index);
    }
    expect(ended).toEqual(items.map((_item, index) => index));
    return files;
  }

  it('go up and come back equal, each block once, small files sharing requests', async () => {
    const files = [
      noise(20 * MIB, 1),
      new Uint8Array(0),
      new Uint8Array(3 * MIB),
      ...Array.from({ length: 300 }, (_, index) => noise(2000 + index, index + 2)),
    ];
    const contents = await send(files);
    expect(new Set(peer.received).size).toBe(peer.received.length);
    expect(peer.requests.length).toBeLessThan(16);
    const before = peer.requests.length;
    const back = await receive(contents.map((content) => ({ content })));
    for (const [index, bytes] of files.entries())
      expect(Buffer.compare(back[index] as Uint8Array, bytes)).toBe(0);
    expect(peer.requests.length - before).toBeLessThan(8);
  });

  it('are the same when memory is given back amid them', async () => {
    const files = [
      noise(9 * MIB, 21),
      ...Array.from({ length: 60 }, (_, index) => noise(90_000 + index, index + 22)),
    ];
    peer.intercept = () => {
      space.giveMemoryBack();
      return false;
    };
    const contents = await send(files);
    const back = await receive(contents.map((content) => ({ content })));
    for (const [index, bytes] of files.entries())
      expect(Buffer.compare(back[index] as Uint8Array, bytes)).toBe(0);
  });

  it('that are mostly a hole are asked for in few requests, whatever their size', async () => {
    const bytes = noise(50 * MIB, 4).fill(0, MIB, 49 * MIB);
    const contents = await send([bytes]);
    const before = peer.requests.length;
    const [back] = await receive(contents.map((content) => ({ content })));
    expect(Buffer.compare(back as Uint8Array, bytes)).toBe(0);
    // Both ends and one block of zeros between them; who has sent the list of chunks knows it.
    expect(peer.requests.length - before).toBe(1);
  });

  it('that came along with changes are not asked for', async () => {
    const files = [noise(1000, 6), noise(3000, 7)];
    const [inline, asked] = (await send(files)) as [FileContent, FileContent];
    const blocks = inline.manifest.parts.map(({ block }) => peer.blocks.get(block) as StoredBlock);
    const cursor = { epoch: 'e'.repeat(26), sequence: 0, hash: '0'.repeat(16) } as Cursor;
    peer.intercept = (path, response) => {
      if (!path.includes('/sync/changes')) return false;
      expect(path).toContain('inlineBytes=');
      const pack = Buffer.concat(encodePack(blocks)).toString('base64');
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ changes: [], cursor: formatCursor(cursor), more: false, pack }));
      return true;
    };
    await space.changes(cursor, { waitMs: 0 });
    const before = peer.requests.length;
    const [first] = await receive([{ content: inline }]);
    expect(Buffer.compare(first as Uint8Array, files[0] as Uint8Array)).toBe(0);
    expect(peer.requests.length).toBe(before);
    // What did not come is asked for, and so is what came the next time.
    await receive([{ content: asked }, { content: inline }]);
    expect(peer.requests.length).toBe(before + 1);
  });

  it('send only what the server lacks', async () => {
    const bytes = noise(10 * MIB, 5);
    await send([bytes]);
    const sent = peer.received.length;
    const upload = space.createUpload();
    await upload.add(sourceOf(bytes), { profile: 't32-64k' });
    await upload.flush();
    expect(peer.received.length).toBe(sent);
    expect(upload.sentBytes).toBe(0);
    expect(upload.skippedBytes).toBe(bytes.length);
  });

  it('ask nothing about the blocks of the base', async () => {
    const bytes = noise(4 * MIB, 6);
    const [base = null] = await send([bytes]);
    const edited = bytes.slice();
    edited[2 * MIB] = (edited[2 * MIB] ?? 0) ^ 1;
    const before = peer.received.length;
    const upload = space.createUpload();
    await upload.add(sourceOf(edited), { profile: 't32-64k', base });
    await upload.flush();
    expect(peer.received.length - before).toBeLessThanOrEqual(2);
    const asked = JSON.parse(
      peer.requests
        .filter(({ path }) => path.endsWith('/missing'))
        .at(-1)
        ?.body.toString() ?? '',
    );
    expect(asked.blockIds.length).toBeLessThanOrEqual(2);
  });

  it('with manifest blocks: children come first, whatever is in flight', async () => {
    // 128 MiB of repeating noise have thousands of chunks in the list, but few different ones.
    const period = noise(MIB + 17, 9);
    const size = 128 * MIB;
    const source: ByteSource = {
      read: async (into, position) => {
        const length = Math.min(into.length, size - position);
        for (let done = 0; done < length; ) {
          const from = (position + done) % period.length;
          const part = period.subarray(from, from + length - done);
          into.set(part, done);
          done += part.length;
        }
        return length;
      },
    };
    const upload = space.createUpload();
    const content = await upload.add(source, { profile: 't32-64k' });
    await upload.flush();
    expect(content.manifest.depth).toBeGreaterThan(0);
    let position = 0;
    for await (const part of space.listChunks(content)) position += part.sizeBytes;
    expect(position).toBe(size);
    const startAt = size - 1000;
    const [tail] = await receive([{ content, startAt }]);
    expect(tail?.length).toBe(1000);
    const expected = new Uint8Array(1000);
    await source.read(expected, startAt);
    expect(tail).toEqual(expected);
  });

  it('resume in the middle of a chunk, at the end, and of nothing', async () => {
    const bytes = noise(MIB, 11);
    const [content, empty] = (await send([bytes, new Uint8Array(0)])) as [FileContent, FileContent];
    const [middle, end, none] = await receive([
      { content, startAt: 333_333 },
      { content, startAt: MIB },
      { content: empty },
    ]);
    expect(middle).toEqual(bytes.subarray(333_333));
    expect(end?.length).toBe(0);
    expect(none?.length).toBe(0);
  });

  it('ask only for the rest when the connection breaks in the middle', async () => {
    const bytes = noise(4 * MIB, 12);
    const [content] = (await send([bytes])) as [FileContent];
    let broken = 0;
    peer.intercept = (path, response) => {
      if (!path.endsWith('/read') || broken++ > 0) return false;
      const whole = Buffer.concat([Buffer.from('CPK1')]);
      response.writeHead(200, { 'content-type': 'application/vnd.cairn.pack', 'content-length': '1000000' });
      response.write(whole, () => response.destroy());
      return true;
    };
    const [back] = await receive([{ content }]);
    expect(Buffer.compare(back as Uint8Array, bytes)).toBe(0);
    expect(broken).toBe(2);
  });

  it('wrong bytes are never handed on', async () => {
    const [content] = (await send([noise(MIB, 13)])) as [FileContent];
    for (const [id, block] of peer.blocks) {
      const payload = block.payload.slice();
      payload[100] = (payload[100] ?? 0) ^ 1;
      peer.blocks.set(id, { ...block, payload });
    }
    await expect(receive([{ content }])).rejects.toMatchObject({ code: 'block-wrong' });
  });

  it('a full server stops the upload with its own words', async () => {
    peer.intercept = (path, response) => {
      if (!path.endsWith('/packs')) return false;
      sendProblem(response, 507, 'storage-full');
      return true;
    };
    const upload = space.createUpload();
    const adding = async (): Promise<void> => {
      for (let seed = 20; seed < 40; seed++)
        await upload.add(sourceOf(noise(8 * MIB, seed)), { profile: 't32-64k' });
      await upload.flush();
    };
    await expect(adding()).rejects.toMatchObject({ code: 'storage-full' });
    await expect(upload.flush()).rejects.toMatchObject({ code: 'storage-full' });
  });

  it('hold back the reader while the wire is slow', async () => {
    let readBytes = 0;
    const size = 400 * MIB;
    const source: ByteSource = {
      read: async (into, position) => {
        const bytes = noise(Math.min(into.length, size - position), position + 1);
        into.set(bytes);
        readBytes = position + bytes.length;
        return bytes.length;
      },
    };
    peer.answer(() => undefined);
    const upload = space.createUpload();
    const adding = upload.add(source, { profile: 't32-1m' }).catch((error: unknown) => error);
    // It has come to rest when nothing was read for a while, and then it must not have read everything.
    for (let before = -1; before !== readBytes; ) {
      before = readBytes;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(readBytes).toBeGreaterThan(8 * MIB);
    expect(readBytes).toBeLessThan(64 * MIB);
    upload.abort();
    expect(await adding).toMatchObject({ code: 'cancelled' });
  });
});
