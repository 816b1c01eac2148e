import type { ServerResponse } from 'node:http';
import { type ByteSource, createNodePlatform, cutContent, encodeSignatures, signBlock } from '@cairn/content';
import type { BlockId, FileContent } from '@cairn/model';
import { encodeDeltaPack } from '@cairn/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from './client.ts';
import type { ContentBase } from './delta-reader.ts';
import type { SpaceClient } from './space-client.ts';
import { type BlockPeer, startBlockPeer } from './testing/block-peer.ts';
import { sendProblem } from './testing/peer.ts';
import { createSignedInClient } from './testing/signed-in-client.ts';

const platform = createNodePlatform();
const KIB = 1024;
const MIB = 1024 * KIB;

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

const changed = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.with(at, (bytes[at] ?? 0) ^ 1) as Uint8Array;

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

const requestsOf = (ending: string) => peer.requests.filter(({ path }) => path.endsWith(ending));

async function send(bytes: Uint8Array, base: FileContent | null): Promise<FileContent> {
  const upload = space.createUpload();
  const content = await upload.add(sourceOf(bytes), { profile: 't32-64k', base });
  await upload.flush();
  return content;
}

/** What of a version is here, by block. */
async function chunksOf(bytes: Uint8Array): Promise<Map<BlockId, Uint8Array>> {
  const found = new Map<BlockId, Uint8Array>();
  await cutContent(platform, sourceOf(bytes), {
    profile: 't32-64k',
    emit: ({ blockId, plain }) => void found.set(blockId, plain.slice()),
  });
  return found;
}

async function receive(content: FileContent, base: ContentBase): Promise<Uint8Array> {
  const bytes = new Uint8Array(content.sizeBytes);
  for await (const piece of space.readContents([{ content, base }], {}))
    bytes.set(piece.bytes, piece.position);
  return bytes;
}

describe('uploads', () => {
  const bytes = noise(4 * MIB, 1);
  const edited = changed(bytes, 2 * MIB);
  let base: FileContent;
  beforeEach(async () => {
    base = await send(bytes, null);
  });

  it('send what changed in a chunk, and ask for its signature beside the question what is missing', async () => {
    const packs = requestsOf('/packs').length;
    await send(edited, base);
    expect(peer.receivedDeltas).toHaveLength(1);
    expect(requestsOf('/signatures')).toHaveLength(1);
    expect(requestsOf('/packs')).toHaveLength(packs + 1);
    expect(requestsOf('/packs').at(-1)?.body.length).toBeLessThan(4 * KIB);
  });

  it('never ask a server that does not say that it takes deltas', async () => {
    peer.saysDeltas = false;
    client.close();
    client = createSignedInClient(peer.url, platform);
    space = await client.personalSpace();
    await send(edited, base);
    expect(requestsOf('/signatures')).toHaveLength(0);
    expect(peer.receivedDeltas).toHaveLength(0);
  });

  const refusals = {
    'a delta that does not fit': ['/packs', 422, 'block-wrong'],
    'a base that is gone': ['/packs', 409, 'blocks-missing'],
    'a form of pack that it does not know': ['/packs', 400, 'bad-request'],
    'so many of them': ['/packs', 413, 'too-large'],
    'a base that it lost': ['/packs', 500, 'data-damaged'],
    'signatures of what is not there': ['/signatures', 404, 'not-found'],
    'signatures while it is busy': ['/signatures', 503, 'unavailable'],
  } as const;
  it.each(Object.entries(refusals))(
    'send the whole block to a server that refuses %s',
    async (_what, refusal) => {
      const [ending, status, code] = refusal;
      const before = peer.requests.length;
      let refused = 0;
      peer.intercept = (path, response) => {
        if (!path.endsWith(ending) || refused++ > 0) return false;
        sendProblem(response, status, code);
        return true;
      };
      const content = await send(edited, base);
      expect(refused).toBeGreaterThan(0);
      // The question, the signatures, the pack, and at most one more.
      expect(peer.requests.length - before).toBeLessThanOrEqual(4);
      expect(peer.receivedDeltas).toHaveLength(0);
      for (const { block } of content.manifest.parts) expect(peer.blocks.has(block)).toBe(true);
    },
  );

  it('fail as before when the whole block is refused, too', async () => {
    peer.intercept = (path, response) => {
      if (!path.endsWith('/packs')) return false;
      sendProblem(response, 422, 'block-wrong');
      return true;
    };
    const before = requestsOf('/packs').length;
    await expect(send(edited, base)).rejects.toMatchObject({ code: 'block-wrong' });
    expect(requestsOf('/packs').length - before).toBe(2);
  });

  const answers: Record<string, (response: ServerResponse) => void> = {
    nothing: (response) => response.end(),
    'what is too long': (response) => response.end(Buffer.alloc(MIB, 1)),
    'signatures of other bytes': (response) =>
      response.end(encodeSignatures([signBlock(platform, noise(64 * KIB, 9), 512)], 512)),
  };
  it.each(Object.entries(answers))(
    'send the whole block where %s comes as signatures',
    async (_what, answer) => {
      peer.intercept = (path, response) => {
        if (!path.endsWith('/signatures')) return false;
        response.writeHead(200, { 'content-type': 'application/vnd.cairn.signatures' });
        answer(response);
        return true;
      };
      const content = await send(edited, base);
      expect(peer.receivedDeltas).toHaveLength(0);
      for (const { block } of content.manifest.parts) expect(peer.blocks.has(block)).toBe(true);
    },
  );

  it('stop trying where nothing is left of the older version', async () => {
    await send(noise(16 * MIB, 2), base);
    expect(peer.receivedDeltas).toHaveLength(0);
    expect(requestsOf('/signatures').length).toBeLessThanOrEqual(3);
  });
});

describe('downloads', () => {
  const bytes = noise(4 * MIB, 3);
  const edited = changed(bytes, 2 * MIB);
  let content: FileContent;
  let here: Map<BlockId, Uint8Array>;
  let noted: boolean[];
  let base: ContentBase;
  beforeEach(async () => {
    const older = await send(bytes, null);
    content = await send(edited, older);
    here = await chunksOf(bytes);
    noted = [];
    const [lost] = older.manifest.parts.filter(
      ({ block }) => !content.manifest.parts.some((part) => part.block === block),
    );
    base = {
      basesOf: (blockId) => (here.has(blockId) || lost === undefined ? [] : [lost.block]),
      read: async (blockId) => here.get(blockId) ?? null,
      note: (wasOfUse) => void noted.push(wasOfUse),
    };
  });

  it('bring what changed in a chunk', async () => {
    expect(Buffer.compare(await receive(content, base), edited)).toBe(0);
    expect(noted).toEqual([true]);
    expect(requestsOf('/deltas')).toHaveLength(1);
  });

  it('bring the whole block where the base is gone meanwhile', async () => {
    const gone = { ...base, read: async () => null };
    expect(Buffer.compare(await receive(content, gone), edited)).toBe(0);
  });

  it('never hand on what a wrong base, or a wrong delta, makes', async () => {
    const wrong = { ...base, read: async () => noise(64 * KIB, 8) };
    expect(Buffer.compare(await receive(content, wrong), edited)).toBe(0);
    peer.intercept = (path, response) => {
      if (!path.endsWith('/deltas')) return false;
      const [blockId] = content.manifest.parts.map(({ block }) => block).filter((block) => !here.has(block));
      const payload = new Uint8Array(50).fill(1);
      const lie = {
        blockId: blockId as BlockId,
        kind: 'chunk',
        codec: 'delta',
        plainBytes: 70_000,
        payload,
      } as const;
      response.writeHead(200, { 'content-type': 'application/vnd.cairn.pack' });
      response.end(Buffer.concat(encodeDeltaPack([lie])));
      return true;
    };
    expect(Buffer.compare(await receive(content, base), edited)).toBe(0);
  });

  it('do without deltas from then on with a server that has no such route', async () => {
    peer.intercept = (path, response) => {
      if (!path.endsWith('/deltas')) return false;
      sendProblem(response, 404, 'not-found');
      return true;
    };
    for (let time = 0; time < 3; time++) {
      expect(Buffer.compare(await receive(content, base), edited)).toBe(0);
    }
    expect(requestsOf('/deltas')).toHaveLength(1);
  });

  it.each([400, 413, 500, 503])('bring the whole block after an answer with status %i', async (status) => {
    peer.intercept = (path, response) => {
      if (!path.endsWith('/deltas')) return false;
      sendProblem(response, status, status === 503 ? 'unavailable' : 'internal');
      return true;
    };
    expect(Buffer.compare(await receive(content, base), edited)).toBe(0);
    expect(requestsOf('/deltas')).toHaveLength(1);
  });

  it('bring the whole block when the answer breaks off', async () => {
    peer.intercept = (path, response) => {
      if (!path.endsWith('/deltas')) return false;
      response.writeHead(200, { 'content-type': 'application/vnd.cairn.pack', 'content-length': '5000' });
      response.write(Buffer.from('CPK3'), () => response.destroy());
      return true;
    };
    expect(Buffer.compare(await receive(content, base), edited)).toBe(0);
  });
});

describe('lists of chunks', () => {
  it('are read as what differs from the older one', async () => {
    const bytes = noise(24 * MIB, 4);
    const older = await send(bytes, null);
    const content = await send(changed(bytes, 12 * MIB), older);
    expect(content.manifest.depth).toBe(1);
    // Another device, which has read the older one.
    const other = createSignedInClient(peer.url, platform);
    const there = await other.personalSpace();
    await Array.fromAsync(there.listChunks(older));
    const before = requestsOf('/read').length;
    const received = other.transport.receivedBytes;
    const listed = await Array.fromAsync(there.listChunks(content, undefined, older));
    expect(other.transport.receivedBytes - received).toBeLessThan(2 * KIB);
    expect(requestsOf('/read')).toHaveLength(before);
    expect(listed).toEqual(await Array.fromAsync(space.listChunks(content)));
    other.close();
  });

  it('need not be read back by who sent them', async () => {
    const bytes = noise(24 * MIB, 5);
    const older = await send(bytes, null);
    await send(changed(bytes, 12 * MIB), older);
    expect(requestsOf('/read')).toHaveLength(0);
    // The chunk and the block that lists it.
    expect(peer.receivedDeltas).toHaveLength(2);
  });
});
