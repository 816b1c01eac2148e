import { CairnError } from '@cairn/model';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { NodeApiOptions } from '../node-api-options.ts';

// biome-ignore lint/suspicious/noExplicitAny: the server's own type differs by transport; routes do not care
type NodeInstance = FastifyInstance<any, any, any, any>;

export type NodeRoute = (app: NodeInstance, options: NodeApiOptions) => void;

/** The body as a stream. @throws CairnError `bad-request` when there is none of ours */
export function bodyOf(request: FastifyRequest): AsyncIterable<Uint8Array> {
  const body = request.body as AsyncIterable<Uint8Array> | null | undefined;
  if (body !== null && body !== undefined && Symbol.asyncIterator in Object(body)) return body;
  throw new CairnError('bad-request', 'the request has no body; send application/octet-stream');
}

/** The whole body. @throws CairnError `too-large`, `bad-request` */
export async function readBody(request: FastifyRequest, maxBytes: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of bodyOf(request)) {
    length += piece.length;
    if (length > maxBytes) throw new CairnError('too-large', `the request has more than ${maxBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}
