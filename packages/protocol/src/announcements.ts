import type { Announcement } from '@cairn/model';
import { z } from 'zod';
import { PROTOCOL_LIMITS } from './constants.ts';
import { nameSchema } from './entries.ts';
import { blockIdSchema, contentIdSchema, entryIdSchema, transferIdSchema } from './ids.ts';
import { countSchema } from './scalars.ts';

const chunk = {
  position: countSchema,
  block: blockIdSchema,
  sizeBytes: z.int().min(1).max(PROTOCOL_LIMITS.maxPackPlainBytes),
};
const announcement = {
  transferId: transferIdSchema,
  entryId: entryIdSchema,
  parentId: entryIdSchema,
  name: nameSchema,
  sizeBytes: countSchema,
};
const run = { position: countSchema, basePosition: countSchema, sizeBytes: countSchema };
const { maxAnnouncedChunks, maxAnnouncedRuns } = PROTOCOL_LIMITS;

/** POST /spaces/{spaceId}/announcements: chunks of a file on its way that the server has by now, and what other devices may have of it. */
export const announcementRequestSchema: z.ZodType<Announcement> = z.strictObject({
  ...announcement,
  chunks: z.array(z.strictObject(chunk)).max(maxAnnouncedChunks),
  copies: z
    .strictObject({ base: contentIdSchema, runs: z.array(z.strictObject(run)).max(maxAnnouncedRuns) })
    .optional(),
});

/** The same in an event. */
export const announcementSchema: z.ZodType<Announcement> = z.object({
  ...announcement,
  chunks: z.array(z.object(chunk)).max(maxAnnouncedChunks),
  copies: z.object({ base: contentIdSchema, runs: z.array(z.object(run)).max(maxAnnouncedRuns) }).optional(),
});
