import {
  type ContentPlatform,
  encodeBlock,
  encodeDeltaBlock,
  encodeSignatures,
  listDeltaBases,
  matchBytes,
  openBlock,
  openDelta,
  parseManifestBlock,
  type StoredBlock,
  signBlock,
} from '@cairn/content';
import type { BlockId } from '@cairn/model';
import {
  type DeltasRequest,
  decodeDeltaPack,
  encodeDeltaPack,
  encodePack,
  type PackRecord,
  type SignaturesRequest,
} from '@cairn/protocol';
import { type Peer, sendJson, sendProblem, startPeer } from './peer.ts';

export interface BlockPeer extends Peer {
  readonly blocks: Map<BlockId, StoredBlock>;
  /** Blocks as they arrived, repeats included. */
  readonly received: BlockId[];
  /** Those of them that came as deltas. */
  readonly receivedDeltas: BlockId[];
  /** Whether it says that it takes deltas; it does. */
  saysDeltas: boolean;
  /** Called before each request is served; returning true means that it answered itself. */
  intercept: ((path: string, response: import('node:http').ServerResponse) => boolean) | null;
}

/** For tests: keeps blocks in memory and, like the server, refuses a manifest block before its children. */
export async function startBlockPeer(platform: ContentPlatform): Promise<BlockPeer> {
  const blocks = new Map<BlockId, StoredBlock>();
  const received: BlockId[] = [];
  const receivedDeltas: BlockId[] = [];
  const plainOf = (blockId: BlockId): Uint8Array => openBlock(platform, blocks.get(blockId) as StoredBlock);
  const asDelta = ({ blockId, bases }: DeltasRequest['blocks'][number]): PackRecord => {
    const block = blocks.get(blockId) as StoredBlock;
    const plain = plainOf(blockId);
    const instructions = matchBytes(bases.map(plainOf), plain, plain.length / 2);
    return instructions === null ? block : encodeDeltaBlock(platform, block, bases, instructions);
  };
  const peer = await startPeer((request, response) => {
    if (state.intercept?.(request.path, response) === true) return;
    if (request.path.endsWith('/packs')) {
      for (const record of decodeDeltaPack(new Uint8Array(request.body))) {
        let block: StoredBlock;
        let plain: Uint8Array;
        try {
          if (record.codec === 'delta') {
            const delta = { ...record, codec: record.codec };
            plain = openDelta(platform, delta, listDeltaBases(delta).map(plainOf));
            block = encodeBlock(platform, record.kind, plain);
            receivedDeltas.push(record.blockId);
          } else {
            block = { ...record, codec: record.codec };
            plain = openBlock(platform, block);
          }
        } catch {
          return sendProblem(response, 422, 'block-wrong');
        }
        if (
          block.kind === 'manifest' &&
          parseManifestBlock(plain).parts.some((part) => !blocks.has(part.block))
        ) {
          return sendProblem(response, 409, 'blocks-missing');
        }
        received.push(block.blockId);
        blocks.set(block.blockId, { ...block, payload: block.payload.slice() });
      }
      return sendJson(response, 200, { stored: 1 });
    }
    const asked = JSON.parse(request.body.toString());
    if (request.path.endsWith('/deltas')) {
      const { blocks: wanted } = asked as DeltasRequest;
      response.writeHead(200, { 'content-type': 'application/vnd.cairn.pack' });
      response.end(Buffer.concat(encodeDeltaPack(wanted.map(asDelta))));
      return;
    }
    const { blockIds } = asked as { blockIds: BlockId[] };
    if (request.path.endsWith('/missing')) {
      const missing = blockIds.filter((id) => !blocks.has(id));
      return sendJson(response, 200, state.saysDeltas ? { missing, deltas: true } : { missing });
    }
    if (request.path.endsWith('/signatures')) {
      const { spanBytes } = asked as SignaturesRequest;
      response.writeHead(200, { 'content-type': 'application/vnd.cairn.signatures' });
      const signatures = blockIds.map((id) => signBlock(platform, plainOf(id), spanBytes));
      response.end(encodeSignatures(signatures, spanBytes));
      return;
    }
    const found = blockIds.map((id) => blocks.get(id));
    if (found.includes(undefined)) return sendProblem(response, 404, 'not-found');
    response.writeHead(200, { 'content-type': 'application/vnd.cairn.pack' });
    response.end(Buffer.concat(encodePack(found as StoredBlock[])));
  });
  const state: BlockPeer = Object.assign(peer, {
    blocks,
    received,
    receivedDeltas,
    saysDeltas: true,
    intercept: null,
  });
  return state;
}
