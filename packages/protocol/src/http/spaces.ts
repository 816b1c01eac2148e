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

export const missingBlocksResponseSchema = z.object({ missing: z.array(blockIdSchema) });
export type MissingBlocksResponse = z.infer<typeof missingBlocksResponseSchema>;

/** POST /spaces/{spaceId}/packs */
export const storedBlocksResponseSchema = z.object({ stored: countSchema });
export type StoredBlocksResponse = z.infer<typeof storedBlocksResponseSchema>;

/** GET /sync/changes */
export const changesQuerySchema = z.strictObject({
  spaceId: spaceIdSchema,
  cursor: cursorTextSchema,
  limit: queryCountSchema({ min: 1, max: PROTOCOL_LIMITS.maxChanges }).optional(),
  waitMs: queryCountSchema({ min: 0, max: PROTOCOL_LIMITS.maxWaitMs }).optional(),
});

export const changesResponseSchema = z.object({
  changes: z.array(journalChangeSchema),
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
