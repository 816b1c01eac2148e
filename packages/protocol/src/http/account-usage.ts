import { z } from 'zod';
import { countSchema, instantSchema, queryCountSchema } from '../scalars.ts';

/** GET /usage: what the person's own space holds; full lengths as people see them. */
export const accountUsageResponseSchema = z.object({
  liveBytes: countSchema,
  /** Older versions of files that are not in the trash. */
  versionsBytes: countSchema,
  /** All versions of what is in the trash. */
  trashBytes: countSchema,
  /** Of the blocks that hold all this, as stored; blocks shared with other people count in full. */
  storedBytes: countSchema.exactOptional(),
  /** By storing equal content once. */
  savedByDedupBytes: countSchema.exactOptional(),
  savedByCompressionBytes: countSchema.exactOptional(),
  files: countSchema,
  folders: countSchema,
  quotaBytes: countSchema.nullable(),
});
export type AccountUsageResponse = z.infer<typeof accountUsageResponseSchema>;

/** GET /admin/capacity */
export const capacityQuerySchema = z.strictObject({
  days: queryCountSchema({ min: 1, max: 90 }).optional(),
});

/** Hourly samples, oldest first. */
export const capacityResponseSchema = z.object({
  samples: z.array(
    z.object({
      at: instantSchema,
      /** Bytes on disk of all blocks. */
      usedBytes: countSchema,
      /** What fits in all; `null` when the block store cannot say. */
      capacityBytes: countSchema.nullable(),
      /** Bytes of blocks that something needs. */
      liveBytes: countSchema,
    }),
  ),
});
export type CapacityResponse = z.infer<typeof capacityResponseSchema>;
