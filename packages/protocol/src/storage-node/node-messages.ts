import { isBlockId } from '@cairn/model';
import { z } from 'zod';

/** Paths of a storage node; everything below needs the key that node and cluster share. */
export const NODE_PATHS = {
  status: '/node/v1/status',
  put: '/node/v1/blocks/put',
  get: '/node/v1/blocks/get',
  locate: '/node/v1/blocks/locate',
  delete: '/node/v1/blocks/delete',
  list: '/node/v1/blocks/list',
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
  /** `null`: takes writes. */
  refusesWrites: z.string().max(500).nullable(),
  /** The highest one seen; lower ones are refused. */
  fencingToken: count,
});
export type NodeStatus = z.infer<typeof nodeStatusSchema>;

/** POST /node/v1/blocks/delete */
export const nodeDeleteSchema = z.object({
  blockId: z.string().refine((value) => isBlockId(value)),
  generation: z.int().positive(),
  fencingToken: count,
});
export const nodeDeletedSchema = z.object({ deleted: z.boolean() });

/** What a node answers when it cannot do what was asked. */
export const nodeProblemSchema = z.object({ code: z.string().max(64), detail: z.string().max(2000) });
