import { z } from 'zod';
import { blockIdSchema, entryIdSchema, spaceIdSchema, versionIdSchema } from '../ids.ts';
import { countSchema, instantSchema } from '../scalars.ts';

/** POST /admin/collections */
export const collectionRequestSchema = z.strictObject({
  /** Tells what a clean-up would do now, and does nothing. */
  dryRun: z.boolean().exactOptional(),
});
export type CollectionRequest = z.infer<typeof collectionRequestSchema>;

const blockAmountSchema = z.object({ blocks: countSchema, storedBytes: countSchema });

const collectionReportSchema = z.object({
  dryRun: z.boolean(),
  /** Items that were in the trash for too long. */
  trash: z.object({ items: countSchema, entries: countSchema }),
  /** Old versions that are no longer kept, and their full lengths. */
  versions: z.object({ versions: countSchema, bytes: countSchema }),
  collection: z.object({
    /** Until when nothing is collected, since the database came back from a backup. */
    quarantinedUntil: instantSchema.nullable(),
    condemned: blockAmountSchema,
    swept: blockAmountSchema,
    orphansNoted: blockAmountSchema,
    orphansSwept: blockAmountSchema,
    reclaimed: blockAmountSchema,
  }),
  audit: z.object({
    references: countSchema,
    /** References that lead to no block; anything but 0 is damage. */
    dangling: countSchema,
    examples: z.array(
      z.object({
        spaceId: spaceIdSchema,
        blockId: blockIdSchema,
        problem: z.enum(['condemned', 'absent', 'unlisted']),
      }),
    ),
  }),
});
export type CollectionReport = z.infer<typeof collectionReportSchema>;

/** POST and GET /admin/collections: the clean-up that runs, or the last one. */
export const collectionResponseSchema = z.object({
  state: z.enum(['never', 'running', 'done', 'failed']),
  dryRun: z.boolean(),
  startedAt: instantSchema.nullable(),
  endedAt: instantSchema.nullable(),
  step: z
    .enum(['trash', 'versions', 'expire', 'condemn', 'sweep', 'orphans', 'reclaim', 'audit', 'compact'])
    .nullable(),
  /** What the step has come to. */
  doneBlocks: countSchema,
  problem: z.string().nullable(),
  report: collectionReportSchema.nullable(),
});
export type CollectionResponse = z.infer<typeof collectionResponseSchema>;

/** GET /admin/usage: lengths as people see them, and what is stored for them. */
export const usageResponseSchema = z.object({
  live: z.object({ files: countSchema, bytes: countSchema }),
  versions: z.object({ versions: countSchema, bytes: countSchema }),
  trash: z.object({ files: countSchema, bytes: countSchema }),
  stored: z.object({ blocks: countSchema, bytes: countSchema }),
  /** By storing equal content once and compressing it; less than 0 when that saves nothing. */
  savedBytes: z.int(),
  trashFreesBytes: countSchema,
  blockStore: z.object({
    blocks: countSchema,
    liveBytes: countSchema,
    diskBytes: countSchema,
    quarantinedRecords: countSchema,
  }),
  garbage: blockAmountSchema,
});
export type UsageResponse = z.infer<typeof usageResponseSchema>;

/** POST /admin/verification */
export const verificationRequestSchema = z.strictObject({
  /** Only asks whether blocks are there, and reads none. */
  quick: z.boolean().exactOptional(),
  /** Also reads every replica on every storage node. */
  everyReplica: z.boolean().exactOptional(),
});
export type VerificationRequest = z.infer<typeof verificationRequestSchema>;

export const verificationResponseSchema = z.object({
  state: z.enum(['never', 'running', 'done', 'failed']),
  quick: z.boolean(),
  everyReplica: z.boolean(),
  startedAt: instantSchema.nullable(),
  endedAt: instantSchema.nullable(),
  checkedBlocks: countSchema,
  problem: z.string().nullable(),
  report: z
    .object({
      checkedBlocks: countSchema,
      checkedBytes: countSchema,
      badBlocks: countSchema,
      /** On fewer storage nodes than wanted. */
      underReplicated: countSchema,
      /** Replicas that were damaged, where every one was read; they are made anew from the others. */
      damagedReplicas: countSchema,
      damagedVersions: countSchema,
      /** The first thousand versions of which not every byte can be read. */
      examples: z.array(
        z.object({
          spaceId: spaceIdSchema,
          entryId: entryIdSchema,
          versionId: versionIdSchema,
          path: z.string(),
          place: z.enum(['current', 'older', 'trash']),
          problem: z.enum(['missing', 'damaged', 'unavailable']),
        }),
      ),
    })
    .nullable(),
});
export type VerificationResponse = z.infer<typeof verificationResponseSchema>;
