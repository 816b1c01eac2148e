import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { CairnError, ERROR_CODES, type ErrorCode } from '@cairn/model';
import { CLUSTER_IDENTITY, NODE_CIPHERS, nodeProblemSchema } from '@cairn/protocol';

export interface NodeConnectionOptions {
  readonly host: string;
  readonly port: number;
  /** The key that this node and the cluster share, 32 bytes. */
  readonly key: Uint8Array;
  /** A node that sends and takes nothing for so long is given up; 10 s unless told. */
  readonly idleTimeoutMs?: number;
  /** Requests at a time; 16 unless told. */
  readonly maxConnections?: number;
}

/** Requests to one storage node, over connections on which both sides have proven the key. */
export interface NodeConnection {
  /**
   * Sends a request and resolves with the answer's bytes as they arrive; they must be read or given up.
   * @param parts of the body, which are not copied; `null` for none
   * @throws CairnError what the node says, `unavailable` when it cannot be reached or breaks off
   */
  send(
    path: string,
    parts: readonly Uint8Array[] | null,
    signal?: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>>;
  close(): void;
}

/** From here on a part is written by itself. */
const LARGE_PART_BYTES = 64 * 1024;

/**
 * The parts, to be written one after the other: Node copies all that waits to be written together into fresh memory, which
 * costs more than encrypting it.
 */
function* joinSmall(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  let small: Uint8Array[] = [];
  let smallBytes = 0;
  for (const part of parts) {
    if (smallBytes > 0 && smallBytes + part.length > LARGE_PART_BYTES) {
      yield Buffer.concat(small, smallBytes);
      small = [];
      smallBytes = 0;
    }
    if (part.length >= LARGE_PART_BYTES) yield part;
    else {
      small.push(part);
      smallBytes += part.length;
    }
  }
  if (smallBytes > 0) yield Buffer.concat(small, smallBytes);
}

const MAX_PROBLEM_BYTES = 16 * 1024;

function unreachable(address: string, cause: unknown): CairnError {
  return new CairnError(
    'unavailable',
    `the storage node at ${address} does not answer; see whether it runs`,
    {
      cause,
      details: { address },
    },
  );
}

/** All bytes of a body. @throws CairnError `too-large` over `maxBytes` */
export async function collectBytes(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > maxBytes)
      throw new CairnError('too-large', 'a storage node answers more than was asked for');
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}

async function readProblem(response: IncomingMessage, address: string): Promise<CairnError> {
  const bytes = await collectBytes(response, MAX_PROBLEM_BYTES);
  let parsed: unknown = null;
  try {
    parsed = JSON.parse(bytes.toString());
  } catch (error) {
    return unreachable(address, error);
  }
  const problem = nodeProblemSchema.safeParse(parsed);
  if (!problem.success || !Object.hasOwn(ERROR_CODES, problem.data.code)) {
    return unreachable(address, new Error(`it answered ${response.statusCode}`));
  }
  return new CairnError(problem.data.code as ErrorCode, `storage node at ${address}: ${problem.data.detail}`);
}

/** Opens nothing yet; connections are made as requests need them and kept for the next. */
export function openNodeConnection(options: NodeConnectionOptions): NodeConnection {
  const { host, port, key } = options;
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const idleTimeoutMs = options.idleTimeoutMs ?? 10_000;
  const agent = new Agent({
    keepAlive: true,
    maxSockets: options.maxConnections ?? 16,
    // Pre-shared keys exist for TLS 1.2 only; there is no certificate, the key itself is the proof.
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.2',
    ciphers: NODE_CIPHERS,
    pskCallback: () => ({ psk: key, identity: CLUSTER_IDENTITY }),
    checkServerIdentity: () => undefined,
  });

  async function* read(response: IncomingMessage): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of response) yield piece as Uint8Array;
      if (!response.complete) throw new Error('the answer was cut off');
    } catch (error) {
      throw unreachable(address, error);
    }
  }

  return {
    async send(path, parts, signal) {
      signal?.throwIfAborted();
      let length = 0;
      for (const part of parts ?? []) length += part.length;
      const outgoing = request({
        host,
        port,
        path,
        agent,
        method: parts === null ? 'GET' : 'POST',
        headers:
          parts === null ? {} : { 'content-type': 'application/octet-stream', 'content-length': length },
        timeout: idleTimeoutMs,
        ...(signal === undefined ? {} : { signal }),
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error(`nothing came for ${idleTimeoutMs} ms`)));
      // Whoever reads the answer meets what breaks it off; without a listener it would end the process.
      outgoing.on('error', () => undefined);
      const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
      // Errors of a request that is given up while its body is still being written reach `answered`.
      answered.catch(() => undefined);
      try {
        for (const part of joinSmall(parts ?? [])) {
          if (outgoing.destroyed) break;
          const written = new Promise<void>((resolve) => {
            outgoing.write(part, () => resolve());
          });
          await Promise.race([written, answered]);
        }
        outgoing.end();
        const [response] = await answered;
        if (response.statusCode === 200) return read(response);
        const problem = await readProblem(response, address);
        outgoing.destroy();
        throw problem;
      } catch (error) {
        outgoing.destroy();
        throw error instanceof CairnError ? error : unreachable(address, error);
      }
    },
    close() {
      agent.destroy();
    },
  };
}
