import { type ContentPlatform, openBlock, parseManifestBlock, type StoredBlock } from '@cairn/content';
import type { BlockId } from '@cairn/model';
import { decodePack, encodePack } from '@cairn/protocol';
import { type Peer, sendJson, sendProblem, startPeer } from './peer.ts';

export interface BlockPeer extends Peer {
  readonly blocks: Map<BlockId, StoredBlock>;
  /** Blocks as they arrived, repeats included. */
  readonly received: BlockId[];
  /** Called before each request is served; returning true means that it answered itself. */
  intercept: ((path: string, response: import('node:http').ServerResponse) => boolean) | null;
}

/** For tests: keeps blocks in memory and, like the server, refuses a manifest block before its children. */
export async function startBlockPeer(platform: ContentPlatform): Promise<BlockPeer> {
  const blocks = new Map<BlockId, StoredBlock>();
  const received: BlockId[] = [];
  const peer = await startPeer((request, response) => {
    if (state.intercept?.(request.path, response) === true) return;
    if (request.path.endsWith('/packs')) {
      for (const block of decodePack(new Uint8Array(request.body))) {
        let plain: Uint8Array;
        try {
          plain = openBlock(platform, block);
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
    const { blockIds } = JSON.parse(request.body.toString()) as { blockIds: BlockId[] };
    if (request.path.endsWith('/missing')) {
      return sendJson(response, 200, { missing: blockIds.filter((id) => !blocks.has(id)) });
    }
    const found = blockIds.map((id) => blocks.get(id));
    if (found.includes(undefined)) return sendProblem(response, 404, 'not-found');
    response.writeHead(200, { 'content-type': 'application/vnd.cairn.pack' });
    response.end(Buffer.concat(encodePack(found as StoredBlock[])));
  });
  const state: BlockPeer = Object.assign(peer, { blocks, received, intercept: null });
  return state;
}
