import net from 'node:net';
import tls from 'node:tls';
import { type ResponseHead, ResponseParser } from './response-parser.ts';

/** One read at most: two such pieces of memory stay in a processor's cache. A record of TLS has no more than 16 KiB. */
const READ_BYTES = { clear: 256 * 1024, secure: 16 * 1024 } as const;
/** TLS hands over all that it has deciphered, also after it was told to pause; that is far less than this. */
const MAX_ARRIVED = 64;

export interface BulkTarget {
  readonly secure: boolean;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
}

export interface BulkExchange {
  readonly head: ResponseHead;
  /**
   * What came next of the body, `null` behind its end. It is overwritten once this is called again. Rejects when the connection
   * breaks; then nothing else can be had.
   */
  next(): Promise<Uint8Array | null>;
}

export interface BulkConnection {
  readonly socket: net.Socket;
  /** Whether another request can be sent. */
  readonly isIdle: boolean;
  /** Whether anything was received since the request was sent. */
  readonly wasAnswered: boolean;
  /** One at a time. Resolves with the head of the answer; the body must be read to its end, or the connection be destroyed. */
  exchange(
    request: { readonly head: string; readonly body: readonly Uint8Array[]; readonly bodiless: boolean },
    idleTimeoutMs: number,
  ): Promise<BulkExchange>;
  destroy(error: Error): void;
}

interface Waiting {
  readonly resolve: (part: Uint8Array | ResponseHead | null) => void;
  readonly reject: (error: unknown) => void;
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

/**
 * A connection whose bytes are received into memory of its own, used again and again, instead of into new memory at each
 * read: that is most of what receiving costs in Node. It reads only while somebody waits for more.
 * @param onIdle called after an answer behind which another request may be sent
 */
export function openBulkConnection(
  target: BulkTarget,
  connectTimeoutMs: number,
  onIdle: () => void,
): BulkConnection {
  const free: Uint8Array<ArrayBuffer>[] = [];
  const arrived: { readonly memory: Uint8Array<ArrayBuffer>; readonly count: number }[] = [];
  let parsed: Uint8Array<ArrayBuffer> | null = null;
  let parser: ResponseParser | null = null;
  let waiting: Waiting | null = null;
  let failed: { readonly error: unknown } | null = null;
  let isPaused = false;
  let hasEnded = false;
  let wasAnswered = false;
  let reads = 0;
  let idleTimer: NodeJS.Timeout | null = null;

  const onread = {
    buffer: () => free.pop() ?? new Uint8Array(target.secure ? READ_BYTES.secure : READ_BYTES.clear),
    callback(count: number, memory: Uint8Array<ArrayBuffer>): boolean {
      wasAnswered = true;
      reads++;
      idleTimer?.refresh();
      if (parser === null || arrived.length >= MAX_ARRIVED) {
        // Nothing was asked, so whatever this is, it is not an answer.
        fail(failure('EPROTO', 'the server spoke without being asked'));
        return false;
      }
      arrived.push({ memory, count });
      deliver();
      isPaused = parser !== null && waiting === null;
      return !isPaused;
    },
  };
  const { secure, host, port } = target;
  const socket: net.Socket = secure
    ? tls.connect({
        host,
        port,
        servername: net.isIP(host) === 0 ? host : '',
        onread,
      } as tls.ConnectionOptions)
    : net.connect({ host, port, onread });
  const connecting = setTimeout(
    () => fail(failure('ETIMEDOUT', 'connecting took too long')),
    connectTimeoutMs,
  );

  function fail(error: unknown): void {
    failed ??= { error };
    clearTimeout(connecting);
    stopWaiting();
    const last = waiting;
    waiting = null;
    socket.destroy();
    last?.reject(failed.error);
  }

  function startListening(idleTimeoutMs: number): void {
    const timer = setTimeout(() => {
      const before = reads;
      // After a sleep, or much work at once, what came meanwhile is looked at only now.
      setImmediate(() => {
        if (idleTimer !== timer) return;
        // Who is slow to take what came is not a server that is silent.
        if (waiting === null || reads !== before) timer.refresh();
        else fail(failure('ETIMEDOUT', 'the server stopped answering'));
      });
    }, idleTimeoutMs);
    idleTimer = timer;
  }

  function stopWaiting(): void {
    if (idleTimer !== null) clearTimeout(idleTimer);
    idleTimer = null;
  }

  /** Who asks for more is done with what was parsed before, so its memory is free. */
  function giveNext(to: ResponseParser): boolean {
    if (parsed !== null) free.push(parsed);
    parsed = null;
    const next = arrived.shift();
    if (next === undefined) return false;
    parsed = next.memory;
    to.give(next.memory.subarray(0, next.count));
    return true;
  }

  /** Gives what is parsed to who waits, until nobody does or nothing is left. */
  function deliver(): void {
    while (waiting !== null && parser !== null) {
      let part: Uint8Array | ResponseHead | null;
      try {
        const found = parser.next();
        if (found.kind === 'more') {
          if (giveNext(parser)) continue;
          if (!hasEnded) return;
          if (!parser.ended()) {
            fail(failure('ECONNRESET', 'the answer was cut short'));
            return;
          }
          continue;
        }
        part = found.kind === 'head' ? found.head : found.kind === 'body' ? found.bytes : null;
      } catch (error) {
        fail(error);
        return;
      }
      const { resolve } = waiting;
      waiting = null;
      if (part === null) finish();
      resolve(part);
    }
  }

  function finish(): void {
    const reusable = parser?.keepsAlive === true && arrived.length === 0 && !hasEnded;
    parser = null;
    if (parsed !== null) free.push(parsed);
    parsed = null;
    stopWaiting();
    if (!reusable) {
      failed ??= { error: failure('ECONNRESET', 'the connection has ended') };
      socket.destroy();
      return;
    }
    resume();
    onIdle();
  }

  function resume(): void {
    if (!isPaused) return;
    isPaused = false;
    socket.resume();
  }

  function wait<Part extends Uint8Array | ResponseHead | null>(): Promise<Part> {
    if (failed !== null) return Promise.reject(failed.error);
    return new Promise<Part>((resolve, reject) => {
      waiting = { resolve: resolve as Waiting['resolve'], reject };
      deliver();
      if (waiting === null) return;
      idleTimer?.refresh();
      resume();
    });
  }

  socket.setNoDelay(true);
  socket.once(secure ? 'secureConnect' : 'connect', () => clearTimeout(connecting));
  socket.on('end', () => {
    hasEnded = true;
    if (parser === null) fail(failure('ECONNRESET', 'the connection has ended'));
    else deliver();
  });
  socket.on('error', fail);
  socket.once('close', () => fail(failure('ECONNRESET', 'the connection broke')));

  return {
    socket,
    get isIdle() {
      return failed === null && parser === null;
    },
    get wasAnswered() {
      return wasAnswered;
    },
    async exchange({ head, body, bodiless }, idleTimeoutMs) {
      if (failed !== null) throw failed.error;
      if (parser !== null) throw new Error('the answer before is not read yet');
      parser = new ResponseParser({ bodiless });
      wasAnswered = false;
      startListening(idleTimeoutMs);
      socket.cork();
      socket.write(head, 'latin1');
      for (const piece of body) socket.write(piece);
      socket.uncork();
      return { head: await wait<ResponseHead>(), next: () => wait<Uint8Array | null>() };
    },
    destroy: fail,
  };
}
