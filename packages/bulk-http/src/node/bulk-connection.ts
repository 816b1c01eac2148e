import net from 'node:net';
import tls from 'node:tls';
import { type ResponseHead, ResponseParser } from '../response-parser.ts';

/** One read at most: two such pieces of memory stay in a processor's cache. A record of TLS has no more than 16 KiB. */
const READ_BYTES = { clear: 256 * 1024, secure: 16 * 1024 } as const;
/** TLS hands over all that it has deciphered, also after it was told to pause; that is far less than this. */
const MAX_ARRIVED = 64;
/** A request of no more goes out in one write. Node copies what it writes together, so larger bodies go piece by piece. */
const JOINED_BYTES = 64 * 1024;
/** Of one write of a larger body: all of it is enciphered before the first byte is sent, and kept until then. */
const SLICE_BYTES = 128 * 1024;

export interface BulkTarget {
  readonly secure: boolean;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
  /** More for the handshake, such as a key that both sides know; for `secure` only. */
  readonly handshake?: Pick<
    tls.ConnectionOptions,
    'minVersion' | 'maxVersion' | 'ciphers' | 'pskCallback' | 'checkServerIdentity'
  >;
}

export interface BulkExchange {
  readonly head: ResponseHead;
  /**
   * What came next of the body, `null` behind its end. It is overwritten once this is called again. Rejects when the connection
   * breaks; then nothing else can be had.
   */
  next(): Promise<Uint8Array | null>;
  /** Copies what comes next of the body into `into`; resolves with how many bytes, fewer than it holds only at the end. */
  fill(into: Uint8Array): Promise<number>;
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
  /** Where bytes of the body go; `null`: they are handed over as they lie. */
  readonly into: Uint8Array | null;
  filled: number;
  readonly resolve: (part: Uint8Array | ResponseHead | number | null) => void;
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
  /** What was parsed and did not fit into where it was wanted. */
  let rest: Uint8Array | null = null;
  /** Whether all of the request is with the system. */
  let isSent = true;
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
        ...target.handshake,
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

  /** The next part of the answer, or `undefined` while it has not come. */
  function takePart(from: ResponseParser): Uint8Array | ResponseHead | null | undefined {
    if (rest !== null) return rest;
    for (;;) {
      const found = from.next();
      if (found.kind !== 'more')
        return found.kind === 'head' ? found.head : found.kind === 'body' ? found.bytes : null;
      if (giveNext(from)) continue;
      if (!hasEnded) return undefined;
      if (!from.ended()) throw failure('ECONNRESET', 'the answer was cut short');
    }
  }

  /** Gives what is parsed to who waits, until nobody does or nothing is left. */
  function deliver(): void {
    while (waiting !== null && parser !== null) {
      let part: Uint8Array | ResponseHead | null | undefined;
      try {
        part = takePart(parser);
      } catch (error) {
        fail(error);
        return;
      }
      if (part === undefined) return;
      rest = null;
      const { into, resolve } = waiting;
      if (into !== null && part instanceof Uint8Array) {
        const room = into.length - waiting.filled;
        into.set(part.length > room ? part.subarray(0, room) : part, waiting.filled);
        if (part.length > room) rest = part.subarray(room);
        waiting.filled += Math.min(room, part.length);
        if (waiting.filled < into.length) continue;
      }
      const { filled } = waiting;
      waiting = null;
      if (part === null) finish();
      resolve(into === null ? part : filled);
    }
  }

  function finish(): void {
    const reusable = isSent && parser?.keepsAlive === true && arrived.length === 0 && !hasEnded;
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

  function wait<Part extends Uint8Array | ResponseHead | number | null>(
    into: Uint8Array | null = null,
  ): Promise<Part> {
    if (failed !== null) return Promise.reject(failed.error);
    return new Promise<Part>((resolve, reject) => {
      waiting = { into, filled: 0, resolve: resolve as Waiting['resolve'], reject };
      deliver();
      if (waiting === null) return;
      idleTimer?.refresh();
      resume();
    });
  }

  /** Resolves when the system has taken it, or the connection is broken. */
  function write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      socket.write(bytes, () => {
        idleTimer?.refresh();
        resolve();
      });
    });
  }

  /** Ends early when the answer comes before: then nobody reads the rest. */
  async function sendBody(pieces: readonly Uint8Array[], isAnswered: () => boolean): Promise<void> {
    for (const piece of pieces) {
      for (let from = 0; from < piece.length; from += SLICE_BYTES) {
        if (isAnswered() || failed !== null) return;
        await write(piece.subarray(from, from + SLICE_BYTES));
      }
    }
    isSent = true;
  }

  async function sendAndWait(head: string, body: readonly Uint8Array[]): Promise<ResponseHead> {
    const small = body.reduce((sum, { length }) => sum + length, 0) <= JOINED_BYTES;
    socket.cork();
    socket.write(head, 'latin1');
    if (small) for (const piece of body) socket.write(piece);
    socket.uncork();
    const answered = wait<ResponseHead>();
    if (small) return answered;
    let isAnswered = false;
    const note = (): void => {
      isAnswered = true;
    };
    answered.then(note, note);
    isSent = false;
    await Promise.race([sendBody(body, () => isAnswered), answered]);
    return answered;
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
      isSent = true;
      startListening(idleTimeoutMs);
      let hasBodyEnded = false;
      return {
        head: await sendAndWait(head, body),
        next: () => wait<Uint8Array | null>(),
        async fill(into) {
          if (hasBodyEnded || into.length === 0) return 0;
          const filled = await wait<number>(into);
          hasBodyEnded = filled < into.length;
          return filled;
        },
      };
    },
    destroy: fail,
  };
}
