/** What a fault proxy does to what goes through it, from now on. */
export interface Faults {
  /** New connections are broken off at once. */
  readonly refuse: boolean;
  /** Each piece of bytes waits this long, and up to `jitterMs` more; order is kept. */
  readonly latencyMs: number;
  readonly jitterMs: number;
  /** In each direction of each connection; `null`: no limit. */
  readonly bytesPerSecond: number | null;
  /** At most so many bytes are passed on at a time, with a pause between; `null`: as they come. */
  readonly dribble: { readonly bytes: number; readonly pauseMs: number } | null;
  /** Each new connection ends after so many bytes in that direction, in the middle of whatever it says. */
  readonly cutAfter: { readonly direction: 'up' | 'down'; readonly bytes: number } | null;
  /** That share of all pieces is not passed on; the connection is closed instead. */
  readonly cutChance: number;
  /** As `cutChance`, but the connection is reset (RST). */
  readonly resetChance: number;
  /**
   * Bytes are swallowed and nothing is said of it, no FIN either. A connection that lost bytes this way never
   * comes back to life, as when a router forgot it.
   */
  readonly halfOpen: 'up' | 'down' | 'both' | null;
  /** That share of requests is sent a second time, on a connection of its own, up to `duplicateWithinMs` later. */
  readonly duplicateChance: number;
  readonly duplicateWithinMs: number;
  /** So many requests of that kind reach the server, but the connection is reset when the answer comes. */
  readonly loseAnswers: { readonly request: RegExp; readonly times: number } | null;
  /** Requests answered by the proxy instead of the server: the first that fits. */
  readonly answers: readonly FakedAnswer[];
}

/** An answer that no server gave. */
export interface FakedAnswer {
  /** Method and path must match, such as `^GET /api/v1/sync`; every request unless told. */
  readonly request?: RegExp;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  /** How many requests are answered so; every one unless told. */
  readonly times?: number;
  /** The connection is closed after so many bytes of the body, though more were announced. */
  readonly bodyBytes?: number;
}

export const NO_FAULTS: Faults = {
  refuse: false,
  latencyMs: 0,
  jitterMs: 0,
  bytesPerSecond: null,
  dribble: null,
  cutAfter: null,
  cutChance: 0,
  resetChance: 0,
  halfOpen: null,
  duplicateChance: 0,
  duplicateWithinMs: 500,
  loseAnswers: null,
  answers: [],
};

/** What happened, counted. */
export interface FaultCounts {
  connections: number;
  refused: number;
  cut: number;
  reset: number;
  swallowedBytes: number;
  requests: number;
  duplicated: number;
  faked: number;
  lostAnswers: number;
}

export function formatAnswer({ status, headers = {}, body, bodyBytes }: FakedAnswer): Buffer {
  const bytes = Buffer.from(body);
  const lines = [
    `HTTP/1.1 ${status} Faked`,
    ...Object.entries({
      'content-type': 'text/html',
      'content-length': String(bytes.length),
      ...headers,
      ...(bodyBytes === undefined ? {} : { connection: 'close' }),
    }).map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), bytes.subarray(0, bodyBytes)]);
}
