import { z } from 'zod';
import { countSchema, instantSchema } from '../scalars.ts';
import { drillSummarySchema } from './drills.ts';

export const nodeParamsSchema = z.object({ nodeId: z.string().regex(/^[a-z2-7]{26}$/) });

/** POST /admin/nodes/invitations */
export const invitationResponseSchema = z.object({
  /** Goes to the node as it is; works once. */
  token: z.string(),
  expiresAt: instantSchema,
});
export type InvitationResponse = z.infer<typeof invitationResponseSchema>;

const amount = countSchema.nullable();

/** GET /admin/nodes */
export const clusterResponseSchema = z.object({
  /** `folder`: the server keeps its blocks by itself, there are no nodes. */
  mode: z.enum(['folder', 'nodes']),
  /** Nodes that get each block, and how many of them must have it before it counts as stored. */
  replicas: countSchema,
  writeQuorum: countSchema,
  takesWrites: z.boolean(),
  /** After how long blocks become shards, and whether there are enough nodes for it; `null`: none do. */
  coding: z.object({ afterMs: countSchema, isPossible: z.boolean() }).nullable(),
  nodes: z.array(
    z.object({
      nodeId: z.string(),
      address: z.string(),
      zone: z.string(),
      weight: z.number(),
      state: z.enum(['unknown', 'up', 'failing', 'suspect', 'down', 'out', 'fenced', 'held-out']),
      isDraining: z.boolean(),
      isFull: z.boolean(),
      reason: z.string().nullable(),
      /** Since its last answer. */
      silentMs: z.number().nullable(),
      version: z.string().nullable(),
      blocks: amount,
      liveBytes: amount,
      diskBytes: amount,
      quarantinedRecords: amount,
      freeBytes: amount,
      totalBytes: amount,
      /** What it may use of its disk. */
      capacityBytes: amount,
      joinedAt: instantSchema,
    }),
  ),
  repair: z
    .object({
      isRunning: z.boolean(),
      checkedBlocks: countSchema,
      underReplicated: countSchema,
      repaired: countSchema,
      waiting: countSchema,
      unavailable: countSchema,
      lost: countSchema,
      codedBlocks: countSchema,
      codedBytes: countSchema,
      copiedBytes: countSchema,
      noted: countSchema,
      lastRunAt: instantSchema.nullable(),
    })
    .nullable(),
  /** The last drill of each kind. */
  drills: z.array(drillSummarySchema),
});
export type ClusterResponse = z.infer<typeof clusterResponseSchema>;

/** PATCH /admin/nodes/{nodeId} */
export const changeNodeRequestSchema = z.strictObject({
  state: z.enum(['active', 'draining']).exactOptional(),
  weight: z.number().positive().max(1000).exactOptional(),
  zone: z.string().max(64).exactOptional(),
});
export type ChangeNodeRequest = z.infer<typeof changeNodeRequestSchema>;

/** DELETE /admin/nodes/{nodeId} */
export const removeNodeQuerySchema = z.object({ force: z.enum(['true', 'false']).exactOptional() });
