import { CHANGESET_LIMITS } from '@cairn/model';

/** Grows when a client and a server of different numbers could misunderstand each other. */
export const PROTOCOL_VERSION = 1;
/** How a client knows that what answers is a Cairn server and not a captive portal. */
export const PRODUCT = 'cairn';
export const API_PREFIX = '/api/v1';

export const MEDIA_TYPES = {
  json: 'application/json',
  problem: 'application/problem+json',
  pack: 'application/vnd.cairn.pack',
  signatures: 'application/vnd.cairn.signatures',
  bytes: 'application/octet-stream',
} as const;

export const HEADER_NAMES = {
  requestId: 'x-request-id',
  /** The client's `PROTOCOL_VERSION`; a server refuses one that it cannot serve. */
  protocolVersion: 'x-cairn-protocol',
  /** `web` on every request that the web app makes by itself; a page of another origin cannot send it. */
  request: 'x-cairn-request',
  /** The server's epoch, on every answer to somebody who is signed in. */
  epoch: 'x-cairn-epoch',
} as const;

/** Bounds that both sides keep. */
export const PROTOCOL_LIMITS = {
  maxPackBytes: 16 * 1024 * 1024,
  maxPackBlocks: 4096,
  /** Plain bytes of all blocks of a pack: what checking it may cost, however well it is compressed. */
  maxPackPlainBytes: 32 * 1024 * 1024,
  /** Blocks that a delta is made from, or that are named to make one from. */
  maxDeltaBases: 4,
  /** Blocks that one request has signed or made into deltas, and deltas in a pack. */
  maxDeltas: 256,
  /** Plain bytes of all bases of one request, each counted as often as it is named: what reading them may cost. */
  maxDeltaBaseBytes: 32 * 1024 * 1024,
  /** Chunks in one announcement of a file on its way. */
  maxAnnouncedChunks: 256,
  /** Runs of chunks in one, that the file has from another content. */
  maxAnnouncedRuns: 256,
  /** Block ids in one question. */
  maxBlockIds: 4096,
  maxChangesetChanges: CHANGESET_LIMITS.maxChanges,
  /** Bytes of a changeset's JSON. A client cuts a longer one in two. */
  maxChangesetBytes: 32 * 1024 * 1024,
  /** Bytes of any other JSON body. */
  maxJsonBytes: 1024 * 1024,
  maxChanges: 2000,
  /** Bytes of small blocks that come along with a page of changes. */
  maxInlineBytes: 16 * 1024,
  defaultChanges: 1000,
  maxPageEntries: 2000,
  defaultPageEntries: 500,
  /** Longest that a long poll waits. */
  maxWaitMs: 30_000,
  minPasswordCharacters: 8,
  maxPasswordBytes: 1024,
  maxUsernameCharacters: 64,
  maxDeviceNameCharacters: 100,
  maxUploadPartBytes: 64 * 1024 * 1024,
  maxUploadParts: 10_000,
} as const;

/** WebSocket close codes of our own (4000-4999 are free for applications). */
export const CLOSE_CODES = {
  /** The device was revoked: sign in again. */
  revoked: 4001,
  /** The access token is not good any more: refresh it and connect again. */
  tokenExpired: 4002,
  /** The client reads too slowly; it asks for changes and connects again. */
  tooSlow: 4008,
  /** The server stops or restarts. */
  goingAway: 1001,
} as const;
