import { z } from 'zod';
import { countSchema } from '../scalars.ts';

/** A hundred years. */
const MAX_DAYS = 36_500;
/** Never less than a day: one mistyped number must not take today's work. */
const daysSchema = z.int().min(1, 'at least 1 day').max(MAX_DAYS, `at most ${MAX_DAYS} days; or keep all`);

/** How long old versions and the trash are kept. */
export const retentionSchema = z.strictObject({
  /** `thinned`: all for `allDays`, then the last one of each day until they are `dailyDays` old, then of each week. */
  versions: z.discriminatedUnion('keep', [
    z.strictObject({ keep: z.literal('all') }),
    z
      .strictObject({ keep: z.literal('thinned'), allDays: daysSchema, dailyDays: daysSchema })
      .refine(({ allDays, dailyDays }) => dailyDays >= allDays, 'dailyDays must not be less than allDays'),
  ]),
  trash: z.discriminatedUnion('keep', [
    z.strictObject({ keep: z.literal('all') }),
    z.strictObject({ keep: z.literal('days'), days: daysSchema }),
  ]),
});
export type Retention = z.infer<typeof retentionSchema>;

/** PUT /spaces/{spaceId}/retention and /admin/retention. `null`: what the server says, or what is built in. */
export const retentionRequestSchema = z.strictObject({
  retention: retentionSchema.nullable(),
  /** Sets nothing, and tells what the next clean-up would remove. */
  dryRun: z.boolean().exactOptional(),
});
export type RetentionRequest = z.infer<typeof retentionRequestSchema>;

const effectSchema = z.object({
  versions: countSchema,
  /** Full lengths of these versions. */
  bytes: countSchema,
  trashItems: countSchema,
  trashEntries: countSchema,
});

/** What holds, what was set here (if anything), and what holds without that. */
export const retentionResponseSchema = z.object({
  effective: retentionSchema,
  own: retentionSchema.nullable(),
  default: retentionSchema,
  /** Only after a dry run: what the next clean-up would remove with what is set now, and with what was asked about. */
  nextCleanUp: z.object({ before: effectSchema, after: effectSchema }).optional(),
});
export type RetentionResponse = z.infer<typeof retentionResponseSchema>;
