import { z } from 'zod';
import { PROTOCOL_LIMITS } from '../constants.ts';
import { conflictMarkSchema } from '../entries.ts';
import { entryIdSchema, spaceIdSchema } from '../ids.ts';
import { queryCountSchema, sequenceSchema } from '../scalars.ts';
import { fileObjectSchema, versionObjectSchema } from './files.ts';

/** GET /spaces/{spaceId}/conflicts */
export const conflictsQuerySchema = z.strictObject({
  /** `next` of the page before. */
  after: entryIdSchema.optional(),
  limit: queryCountSchema({ min: 1, max: PROTOCOL_LIMITS.maxPageEntries }).optional(),
});

/** One of the two contents, with the version that saved it. */
const conflictSideSchema = z.object({ entry: fileObjectSchema, version: versionObjectSchema });

/** A conflict copy, and what it is a copy of. */
export const conflictSchema = z.object({
  conflictOf: conflictMarkSchema,
  copy: conflictSideSchema,
  /** `null` when it is gone. */
  original: conflictSideSchema.nullable(),
  /** The version that both were made from; `null` when there is none. */
  base: versionObjectSchema.nullable(),
});
export type ConflictObject = z.infer<typeof conflictSchema>;

export const conflictsResponseSchema = z.object({
  conflicts: z.array(conflictSchema),
  next: entryIdSchema.nullable(),
});
export type ConflictsResponse = z.infer<typeof conflictsResponseSchema>;

/** POST /spaces/{spaceId}/conflicts/{entryId}/resolve; `entryId` is the copy's. */
export const conflictParamsSchema = z.strictObject({ spaceId: spaceIdSchema, entryId: entryIdSchema });
export const resolveConflictRequestSchema = z.strictObject({
  /**
   * `mine`: the copy's content becomes current, the other stays among the versions. `theirs`: the copy goes to the
   * trash. `both`: it stays as an ordinary file.
   */
  keep: z.enum(['mine', 'theirs', 'both']),
  /** What was looked at: refused when it is not so any more. */
  copySequence: sequenceSchema,
  originalSequence: sequenceSchema.nullable(),
});
export type ResolveConflictRequest = z.infer<typeof resolveConflictRequestSchema>;
