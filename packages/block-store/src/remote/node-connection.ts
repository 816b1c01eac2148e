import { type BulkResponse, createBulkClient } from '@cairn/bulk-http';
import { CairnError, ERROR_CODES, type ErrorCode } from '@cairn/model';
import {
  type ByteSource,
  CLUSTER_IDENTITY,
  NODE_CIPHERS,
  NODE_PATHS,
  nodeProblemSchema,
} from '@cairn/protocol';

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
   * @param parts of the body, large ones not copied; `null` for none. Nobody reads them once the answer is here or the call
   * was rejected: what is sent is enciphered at once
   * @throws CairnError what the node says, `unavailable` when it cannot be reached or breaks off
   */
  send(path: string, parts: readonly Uint8Array[] | null, signal?: AbortSignal): Promise<NodeAnswer>;
  close(): void;
}

/** The bytes of an answer: either read as pieces, each of which is overwritten by the next, or copied to where they are wanted. */
export interface NodeAnswer extends AsyncIterable<Uint8Array>, ByteSource {}

/** What may reach the node twice when a kept connection turns out to be closed. */
const REPEATABLE: readonly string[] = [
  NODE_PATHS.status,
  NODE_PATHS.put,
  NODE_PATHS.get,
  NODE_PATHS.locate,
  NODE_PATHS.list,
];
const CONNECT_TIMEOUT_MS = 10_000;
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
    // The memory of a piece is that of the next one.
    pieces.push(Uint8Array.from(piece));
  }
  return Buffer.concat(pieces, length);
}

async function readProblem(response: BulkResponse, address: string): Promise<CairnError> {
  const bytes = await collectBytes(response.body, MAX_PROBLEM_BYTES);
  let parsed: unknown = null;
  try {
    parsed = JSON.parse(bytes.toString());
  } catch (error) {
    return unreachable(address, error);
  }
  const problem = nodeProblemSchema.safeParse(parsed);
  if (!problem.success || !Object.hasOwn(ERROR_CODES, problem.data.code)) {
    return unreachable(address, new Error(`it answered ${response.status}`));
  }
  return new CairnError(problem.data.code as ErrorCode, `storage node at ${address}: ${problem.data.detail}`);
}

/** Opens nothing yet; connections are made as requests need them and kept for the next. */
export function openNodeConnection(options: NodeConnectionOptions): NodeConnection {
  const { host, port, key } = options;
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const idleTimeoutMs = options.idleTimeoutMs ?? 10_000;
  const client = createBulkClient({
    target: {
      secure: true,
      host,
      port,
      handshake: {
        // Pre-shared keys exist for TLS 1.2 only; there is no certificate, the key itself is the proof.
        minVersion: 'TLSv1.2',
        maxVersion: 'TLSv1.2',
        ciphers: NODE_CIPHERS,
        pskCallback: () => ({ psk: key, identity: CLUSTER_IDENTITY }),
        checkServerIdentity: () => undefined,
      },
    },
    maxConnections: options.maxConnections ?? 16,
    connectTimeoutMs: Math.min(CONNECT_TIMEOUT_MS, idleTimeoutMs),
  });

  async function* read(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      throw unreachable(address, error);
    }
  }

  return {
    async send(path, parts, signal) {
      signal?.throwIfAborted();
      const body = parts ?? [];
      const sizeBytes = body.reduce((sum, { length }) => sum + length, 0);
      try {
        const response = await client.request({
          method: parts === null ? 'GET' : 'POST',
          path,
          headers: {
            host: address,
            ...(parts === null
              ? {}
              : { 'content-type': 'application/octet-stream', 'content-length': String(sizeBytes) }),
          },
          body,
          signal,
          idleTimeoutMs,
          mayRepeat: REPEATABLE.includes(path),
        });
        if (response.status !== 200) throw await readProblem(response, address);
        const pieces = read(response.body);
        return {
          [Symbol.asyncIterator]: () => pieces,
          async fill(into) {
            try {
              return await response.fill(into);
            } catch (error) {
              throw unreachable(address, error);
            }
          },
          close: response.discard,
        };
      } catch (error) {
        throw error instanceof CairnError ? error : unreachable(address, error);
      }
    },
    close() {
      client.close();
    },
  };
}
