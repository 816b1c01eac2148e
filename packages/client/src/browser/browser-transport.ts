import { CairnError } from '@cairn/model';
import { pieceBytes, readHeld } from '../body-pieces.ts';
import type { BodyPiece, Transport, TransportRequest, TransportResponse } from '../transport.ts';
import { openBrowserSocket } from './browser-socket.ts';

export interface BrowserTransportOptions {
  /** The page's own server when left out. */
  readonly serverUrl?: string;
  /** Longest silence once the request is sent. */
  readonly idleTimeoutMs?: number;
}

/** `fetch` does not tell how much of a body has left; a slower line than this counts as broken. */
const SLOWEST_BYTES_PER_MS = 16;

/** An answer that is known to be this short is taken whole: read in pieces, Chromium counts it as broken off at its very end. */
const SMALL_BODY_BYTES = 256 * 1024;

/**
 * The transport of pages and workers on `fetch` and WebSocket. The session is in cookies, which the browser adds by
 * itself.
 */
export function createBrowserTransport(options: BrowserTransportOptions = {}): Transport {
  const serverUrl = options.serverUrl ?? globalThis.location.origin;
  const idleTimeoutMs = options.idleTimeoutMs ?? 45_000;
  const closing = new AbortController();
  let sentBytes = 0;
  let receivedBytes = 0;

  async function request(asked: TransportRequest): Promise<TransportResponse> {
    asked.signal?.throwIfAborted();
    const pieces = asked.body ?? [];
    const size = pieces.reduce((total, piece) => total + pieceBytes(piece), 0);
    const silence = new AbortController();
    const limitMs = asked.idleTimeoutMs ?? idleTimeoutMs;
    let timer = setTimeout(() => silence.abort(), limitMs + size / SLOWEST_BYTES_PER_MS);
    const heard = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), limitMs);
    };
    const signals = [silence.signal, closing.signal, ...(asked.signal == null ? [] : [asked.signal])];
    const fail = (error: unknown): unknown => {
      clearTimeout(timer);
      return asked.signal?.aborted ? asked.signal.reason : unreachable(serverUrl, error);
    };

    let response: Response;
    try {
      response = await fetch(serverUrl + asked.path, {
        method: asked.method,
        headers: { ...asked.headers },
        ...(asked.body === undefined || asked.method === 'GET' ? {} : { body: bodyOf(pieces) }),
        credentials: 'same-origin',
        cache: 'no-store',
        redirect: 'manual',
        referrerPolicy: 'no-referrer',
        signal: AbortSignal.any(signals),
      });
    } catch (error) {
      if (asked.signal?.aborted !== true) {
        const changed = await findUnreadable(pieces);
        if (changed !== null) {
          clearTimeout(timer);
          throw changed;
        }
      }
      throw fail(error);
    }
    sentBytes += size;
    heard();
    const { body } = response;
    if (body === null) clearTimeout(timer);
    const isSmall = Number(response.headers.get('content-length') ?? Number.NaN) <= SMALL_BODY_BYTES;

    let reader: ReadableStreamDefaultReader<Uint8Array> | null = null;

    async function* readPieces(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
      reader = stream.getReader();
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          heard();
          yield value;
          // A reader that takes its time is no silence of the server's.
          heard();
        }
      } finally {
        // Ends the request when the reader stops early; after the end it does nothing.
        reader.cancel().catch(() => undefined);
      }
    }

    async function* read(): AsyncGenerator<Uint8Array> {
      if (body === null) return;
      try {
        const pieces = isSmall ? [new Uint8Array(await response.arrayBuffer())] : readPieces(body);
        for await (const piece of pieces) {
          receivedBytes += piece.length;
          yield piece;
        }
      } catch (error) {
        throw fail(error);
      } finally {
        clearTimeout(timer);
      }
    }

    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: read(),
      discard() {
        clearTimeout(timer);
        // A short one that is being taken whole ends by itself.
        if (reader !== null) reader.cancel().catch(() => undefined);
        else if (body?.locked === false) body.cancel().catch(() => undefined);
      },
    };
  }

  return {
    serverUrl,
    request,
    openSocket: (path, _headers, handlers) => openBrowserSocket(serverUrl, path, handlers),
    get sentBytes() {
      return sentBytes;
    },
    get receivedBytes() {
      return receivedBytes;
    },
    close: () => closing.abort(),
  };
}

/** From here on bodies are handed to the browser as a Blob, which it holds outside of the page; large arrays it takes slowly. */
const LARGE_BODY_BYTES = 64 * 1024;

/** A small piece goes as it is; several are joined by the browser, which reads those of files itself. */
function bodyOf(pieces: readonly BodyPiece[]): BodyInit {
  const [only] = pieces;
  if (pieces.length === 1 && only instanceof Uint8Array && only.length < LARGE_BODY_BYTES)
    return only as Uint8Array<ArrayBuffer>;
  return new Blob(pieces as readonly BlobPart[] as BlobPart[]);
}

/** A browser reads nothing of a file that is not what it was when it was chosen, and `fetch` does not say so. */
async function findUnreadable(pieces: readonly BodyPiece[]): Promise<unknown> {
  try {
    for (const piece of pieces) if (piece instanceof Blob) await readHeld(piece.slice(0, 1));
    return null;
  } catch (error) {
    return error;
  }
}

function unreachable(serverUrl: string, cause: unknown): CairnError {
  return new CairnError(
    'server-unreachable',
    'the server cannot be reached. Check your network connection; what is under way goes on when it is back',
    { cause, details: { serverUrl } },
  );
}
