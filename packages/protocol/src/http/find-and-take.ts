import { z } from 'zod';
import { PROTOCOL_LIMITS } from '../constants.ts';
import { nameSchema } from '../entries.ts';
import { entryIdSchema, versionIdSchema } from '../ids.ts';
import { queryCountSchema, textSchema } from '../scalars.ts';
import { fileObjectSchema } from './files.ts';

const MAX_QUERY_CHARACTERS = 255;
const MAX_AFTER_CHARACTERS = 1100;
const MAX_ARCHIVE_IDS = 500;

/** GET /search?q= : by name over the personal space; upper and lower case, and accents, make no difference. */
export const searchQuerySchema = z.strictObject({
  q: textSchema(MAX_QUERY_CHARACTERS).min(1),
  limit: queryCountSchema({ min: 1, max: PROTOCOL_LIMITS.maxPageEntries }).optional(),
  /** `next` of the page before. */
  after: textSchema(MAX_AFTER_CHARACTERS).optional(),
});

/** Names that begin with what was asked come first. */
export const searchResponseSchema = z.object({
  items: z.array(fileObjectSchema),
  next: z.string().nullable(),
});
export type SearchResponse = z.infer<typeof searchResponseSchema>;

/** GET /files/{entryId}/thumbnail */
export const thumbnailQuerySchema = z.strictObject({
  versionId: versionIdSchema.optional(),
  /** Longest edge in pixels. */
  size: z
    .enum(['256', '1024'])
    .optional()
    .transform((text): 256 | 1024 => (text === '1024' ? 1024 : 256)),
});

/** POST /files/{entryId}/copy */
export const copyRequestSchema = z.strictObject({ parentId: entryIdSchema, name: nameSchema });
export type CopyRequest = z.infer<typeof copyRequestSchema>;

/** GET /archives?ids= : entry ids, with commas between them. */
export const archiveQuerySchema = z.strictObject({
  ids: z
    .string()
    .min(1)
    .max(MAX_ARCHIVE_IDS * 27)
    .transform((text): unknown[] => text.split(','))
    .pipe(z.array(entryIdSchema).min(1).max(MAX_ARCHIVE_IDS, `at most ${MAX_ARCHIVE_IDS} ids`)),
  /** What the file is called, without `.zip`. */
  name: textSchema(MAX_QUERY_CHARACTERS).optional(),
});
