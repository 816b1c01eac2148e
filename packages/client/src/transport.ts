/**
 * The transport port: HTTP requests and one kind of socket to one server. It knows bytes, statuses and headers;
 * what they mean is decided above it.
 */

/** In memory, or a piece of a file that is read when it is sent. */
export type BodyPiece = Uint8Array | Blob;

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query, starting with `/`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Pieces are sent one after the other under one Content-Length. */
  readonly body?: readonly BodyPiece[];
  readonly signal?: AbortSignal | undefined;
  /** Longest silence on the connection. */
  readonly idleTimeoutMs?: number;
  /** Never reuse a kept-alive connection: for requests that must not be repeated when one breaks. */
  readonly freshConnection?: boolean;
  /**
   * The answer may be large, and is best received without new memory for each piece of it. Only for requests that may be
   * sent twice.
   */
  readonly bulk?: boolean;
}

export interface TransportResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /**
   * Body as it arrives; throws `server-unreachable` when the connection breaks before the end. Read it once. A piece may be
   * overwritten once the next is asked for.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** Drops what is left of the body. */
  discard(): void;
}

export interface SocketHandlers {
  onOpen(): void;
  onMessage(text: string): void;
  /** Anything that shows the peer is alive, a ping included. */
  onActivity(): void;
  /** Exactly once. `status` is the HTTP status when the server refused the upgrade. */
  onClose(reason: { readonly status: number | null; readonly code: number | null }): void;
}

export interface TransportSocket {
  close(): void;
}

export interface Transport {
  /** Origin (and path prefix, if any) of the server, without a trailing slash. */
  readonly serverUrl: string;
  /**
   * Resolves when the head of the answer is there. Throws `server-unreachable`, the signal's reason, or `local-changed` when
   * a piece of a file cannot be read any more.
   */
  request(request: TransportRequest): Promise<TransportResponse>;
  openSocket(
    path: string,
    headers: Readonly<Record<string, string>>,
    handlers: SocketHandlers,
  ): TransportSocket;
  /** Bytes on the wire so far, heads included (below TLS, where there is TLS). */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Ends every connection. */
  close(): void;
}
