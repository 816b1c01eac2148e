import type { Readable } from 'node:stream';
import { CairnError } from '@cairn/model';
import type { ByteSource } from '@cairn/protocol';
import type { FastifyRequest } from 'fastify';

interface Waiting {
  readonly into: Uint8Array;
  filled: number;
  readonly resolve: (count: number) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The body as it arrives, copied at once to where it is wanted. An iterator over a stream gathers what has arrived into new
 * memory first, which costs more than to decipher it.
 * @throws CairnError `bad-request` when there is no body of ours
 */
export function receiveBody(request: FastifyRequest): ByteSource {
  const body = request.body as Readable | null | undefined;
  if (typeof body?.on !== 'function') {
    throw new CairnError('bad-request', 'the request has no body; send application/octet-stream');
  }
  return receiveStream(body);
}

/** What a stream gives, read only while somebody waits for it. */
export function receiveStream(stream: Readable): ByteSource {
  let left: Uint8Array = new Uint8Array(0);
  let waiting: Waiting | null = null;
  let hasEnded = false;
  let failure: { readonly error: unknown } | null = null;

  function settle(): void {
    if (waiting === null) return;
    const part = left.subarray(0, waiting.into.length - waiting.filled);
    waiting.into.set(part, waiting.filled);
    waiting.filled += part.length;
    left = left.subarray(part.length);
    if (waiting.filled < waiting.into.length && !hasEnded && failure === null) return;
    const { filled, into, resolve, reject } = waiting;
    waiting = null;
    if (failure !== null && filled < into.length) reject(failure.error);
    else resolve(filled);
  }

  function onData(piece: Uint8Array): void {
    left = left.length === 0 ? piece : Buffer.concat([left, piece]);
    settle();
    if (waiting === null) stream.pause();
  }

  function fail(error: unknown): void {
    if (!hasEnded) failure ??= { error };
    settle();
  }

  stream.on('data', onData);
  stream.pause();
  stream.once('end', () => {
    hasEnded = true;
    settle();
  });
  // Stays: what breaks off later must find a listener.
  stream.on('error', fail);
  stream.once('close', () => fail(new Error('the request was cut off')));

  return {
    fill(into) {
      return new Promise<number>((resolve, reject) => {
        waiting = { into, filled: 0, resolve, reject };
        settle();
        if (waiting !== null) stream.resume();
      });
    },
    close() {
      stream.off('data', onData);
      stream.pause();
    },
  };
}
