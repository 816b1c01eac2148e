import { z } from 'zod';
import { journalChangeSchema } from '../changesets.ts';
import { PROTOCOL_LIMITS } from '../constants.ts';
import { entrySchema } from '../entries.ts';
import { blockIdSchema, entryIdSchema, spaceIdSchema } from '../ids.ts';
import { countSchema, cursorTextSchema, queryCountSchema } from '../scalars.ts';

export const spaceParamsSchema = z.strictObject({ spaceId: spaceIdSchema });

/** POST /spaces/{spaceId}/blocks/missing and /blocks/read */
export const blockIdsRequestSchema = z.strictObject({
  blockIds: z.array(blockIdSchema).max(PROTOCOL_LIMITS.maxBlockIds),
});
export type BlockIdsRequest = z.infer<typeof blockIdsRequestSchema>;

export const missingBlocksResponseSchema = z.object({
  missing: z.array(blockIdSchema),
  /** Whether this server signs blocks and takes packs with deltas. */
  deltas: z.boolean().optional(),
});
export type MissingBlocksResponse = z.infer<typeof missingBlocksResponseSchema>;

/** POST /spaces/{spaceId}/blocks/signatures */
export const signaturesRequestSchema = z.strictObject({
  blockIds: z.array(blockIdSchema).max(PROTOCOL_LIMITS.maxDeltas),
  /** Length of the spans that are signed. */
  spanBytes: z.literal([128, 256, 512, 1024, 2048, 4096, 8192]),
});
export type SignaturesRequest = z.infer<typeof signaturesRequestSchema>;

/** POST /spaces/{spaceId}/blocks/deltas */
export const deltasRequestSchema = z.strictObject({
  blocks: z
    .array(
      z.strictObject({
        blockId: blockIdSchema,
        /** Blocks that the caller has; one that nobody can read here is passed over. */
        bases: z.array(blockIdSchema).min(1).max(PROTOCOL_LIMITS.maxDeltaBases),
      }),
    )
    .max(PROTOCOL_LIMITS.maxDeltas),
});
export type DeltasRequest = z.infer<typeof deltasRequestSchema>;

/** POST /spaces/{spaceId}/packs */
export const storedBlocksResponseSchema = z.object({ stored: countSchema });
export type StoredBlocksResponse = z.infer<typeof storedBlocksResponseSchema>;

/** GET /sync/changes */
export const changesQuerySchema = z.strictObject({
  spaceId: spaceIdSchema,
  cursor: cursorTextSchema,
  limit: queryCountSchema({ min: 1, max: PROTOCOL_LIMITS.maxChanges }).optional(),
  waitMs: queryCountSchema({ min: 0, max: PROTOCOL_LIMITS.maxWaitMs }).optional(),
  /** So many bytes of small blocks may come along; none unless told. */
  inlineBytes: queryCountSchema({ min: 0, max: PROTOCOL_LIMITS.maxInlineBytes }).optional(),
});

export const changesResponseSchema = z.object({
  changes: z.array(journalChangeSchema),
  /** A pack, as base64, of blocks that small new files among the changes are made of. A help: it may be missing. */
  pack: z
    .string()
    .max(4 * PROTOCOL_LIMITS.maxInlineBytes)
    .optional(),
  cursor: cursorTextSchema,
  /** Whether there is more to read at once. */
  more: z.boolean(),
});
export type ChangesResponse = z.infer<typeof changesResponseSchema>;

/** GET /spaces/{spaceId}/snapshot */
export const snapshotQuerySchema = z.strictObject({
  after: entryIdSchema.optional(),
  limit: queryCountSchema({ min: 1, max: PROTOCOL_LIMITS.maxPageEntries }).optional(),
});

export const snapshotResponseSchema = z.object({
  entries: z.array(entrySchema),
  /** Follow the journal from the FIRST page's cursor. */
  cursor: cursorTextSchema,
  next: entryIdSchema.nullable(),
});
export type SnapshotResponse = z.infer<typeof snapshotResponseSchema>;
