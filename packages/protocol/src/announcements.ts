import type { Announcement } from '@cairn/model';
import { z } from 'zod';
import { PROTOCOL_LIMITS } from './constants.ts';
import { nameSchema } from './entries.ts';
import { blockIdSchema, entryIdSchema, transferIdSchema } from './ids.ts';
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
const { maxAnnouncedChunks } = PROTOCOL_LIMITS;

/** POST /spaces/{spaceId}/announcements: chunks of a file on its way that the server has by now. */
export const announcementRequestSchema: z.ZodType<Announcement> = z.strictObject({
  ...announcement,
  chunks: z.array(z.strictObject(chunk)).max(maxAnnouncedChunks),
});

/** The same in an event. */
export const announcementSchema: z.ZodType<Announcement> = z.object({
  ...announcement,
  chunks: z.array(z.object(chunk)).max(maxAnnouncedChunks),
});
