import { isBlockId, isStoredId } from '@cairn/model';
import { z } from 'zod';
import { NODE_LIMITS } from './node-frames.ts';

/** Paths of a storage node; everything below needs the key that node and cluster share. */
export const NODE_PATHS = {
  status: '/node/v1/status',
  put: '/node/v1/blocks/put',
  get: '/node/v1/blocks/get',
  locate: '/node/v1/blocks/locate',
  delete: '/node/v1/blocks/delete',
  list: '/node/v1/blocks/list',
  compact: '/node/v1/compact',
  scrub: '/node/v1/scrub',
  drill: '/node/v1/drill',
} as const;

/** The name under which a server of the cluster presents the key. */
export const CLUSTER_IDENTITY = 'cairn-cluster';

/** The only suites that are spoken: a key that both know, fresh secrets for each connection. */
export const NODE_CIPHERS = 'DHE-PSK-AES256-GCM-SHA384:DHE-PSK-CHACHA20-POLY1305';

const count = z.int().nonnegative();

export const nodeUsageSchema = z.object({
  blocks: count,
  liveBytes: count,
  diskBytes: count,
  quarantinedRecords: count,
  verifiedAt: count.nullable(),
});

/** GET /node/v1/status */
export const nodeStatusSchema = z.object({
  nodeId: z.string().min(1).max(64),
  /** Another one than before: the disk was replaced or emptied. */
  storeUuid: z.string().min(1).max(64),
  /** Counts the starts; one that goes back means that the folder was put back from a copy. */
  bootCount: count,
  /** Of this process; two at a time with one node id are copies of each other. */
  bootId: z.string().min(1).max(64),
  version: z.string().max(64),
  usage: nodeUsageSchema,
  /** Of the file system; `null` where that cannot be told. */
  freeBytes: count.nullable(),
  totalBytes: count.nullable(),
  /** Bytes on disk that the node may use; `null`: as many as the disk has. Older nodes do not say it. */
  capacityBytes: count.nullable().optional(),
  /** `null`: takes writes. */
  refusesWrites: z.string().max(500).nullable(),
  /** The highest one seen for each job; lower ones are refused. */
  fencingTokens: z.record(z.string(), count),
});
export type NodeStatus = z.infer<typeof nodeStatusSchema>;

/** POST /node/v1/blocks/delete */
export const nodeDeleteSchema = z.object({
  locations: z
    .array(
      z.object({ blockId: z.string().refine((value) => isStoredId(value)), generation: z.int().positive() }),
    )
    .max(NODE_LIMITS.maxDeletes),
  /** Left out where nothing but this one process deletes. */
  fence: z.object({ job: z.string().regex(/^[a-z-]{1,64}$/), token: count }).exactOptional(),
});
/** In the same order. */
export const nodeDeletedSchema = z.object({ deleted: z.array(z.boolean()) });

const bytesPerSecond = z.int().positive().exactOptional();
/** POST /node/v1/compact */
export const nodeCompactSchema = z.object({
  minGarbageRatio: z.number().min(0).max(1).exactOptional(),
  bytesPerSecond,
});
export const nodeCompactedSchema = z.object({
  segmentsRewritten: count,
  segmentsRemoved: count,
  movedBytes: count,
  freedBytes: count,
  skippedDamaged: count,
  stoppedBy: z.enum(['storage-full', 'aborted']).nullable(),
});

/** POST /node/v1/scrub */
export const nodeScrubSchema = z.object({ olderThanMs: count.exactOptional(), bytesPerSecond });
export const nodeScrubbedSchema = z.object({
  checkedBlocks: count,
  checkedBytes: count,
  damaged: z.array(z.string().refine((value) => isStoredId(value))).max(1000),
  damagedCount: count,
  unreadable: count,
  durationMs: z.number().nonnegative(),
  stoppedBy: z.enum(['aborted']).nullable(),
});

/** The first bytes of a block that a drill may damage. Whatever begins otherwise is damaged by nobody. */
export const DRILL_CANARY_MARK = 'cairn drill canary, made to be damaged\n';
/** A node reports itself as full for no longer than this unless it is asked again. */
export const MAX_NODE_FULL_MS = 15_000;

/** POST /node/v1/drill: `full` with 0 ends that. */
export const nodeDrillSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('full'), forMs: z.int().min(0).max(MAX_NODE_FULL_MS) }),
  z.object({ kind: z.literal('damage'), blockId: z.string().refine((value) => isBlockId(value)) }),
]);
export type NodeDrillRequest = z.infer<typeof nodeDrillSchema>;
export const nodeDrilledSchema = z.object({ done: z.literal(true) });

/** What a node answers when it cannot do what was asked. */
export const nodeProblemSchema = z.object({ code: z.string().max(64), detail: z.string().max(2000) });

/** What is proven with a key says which of these it is about; see `proveParts` of the crypto room. */
export const NODE_PROOFS = {
  offer: 'cairn join offer 1',
  answer: 'cairn join answer 1',
  announcement: 'cairn node announcement 1',
} as const;

const base64Bytes = (length: number) =>
  z.base64url().refine((text) => Buffer.from(text, 'base64url').length === length);
/** `host:port`, the host a name, an IPv4 address or an IPv6 address in brackets. */
const addressSchema = z.string().regex(/^(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):\d{1,5}$/);

/** POST /api/v1/nodes/join: for whoever has a join token. Proven: token, public key, address, zone, weight. */
export const joinNodeRequestSchema = z.object({
  tokenId: z.string().regex(/^[a-z2-7]{26}$/),
  publicKey: base64Bytes(32),
  address: addressSchema,
  zone: z.string().max(64),
  weight: z.number().positive().max(1000),
  proof: base64Bytes(32),
});
export type JoinNodeRequest = z.infer<typeof joinNodeRequestSchema>;

/** Proven: both public keys and the node's new id. */
export const joinNodeResponseSchema = z.object({
  nodeId: z.string().min(1).max(64),
  publicKey: base64Bytes(32),
  proof: base64Bytes(32),
});
export type JoinNodeResponse = z.infer<typeof joinNodeResponseSchema>;

/** POST /api/v1/nodes/announce: a node that started says where it is. Proven with its key: all but the proof. */
export const announceNodeRequestSchema = z.object({
  nodeId: z.string().min(1).max(64),
  address: addressSchema,
  bootCount: count,
  proof: base64Bytes(32),
});
export type AnnounceNodeRequest = z.infer<typeof announceNodeRequestSchema>;
