import { z } from 'zod';
import { PROTOCOL_LIMITS } from '../constants.ts';
import { modifiedAtUsSchema } from '../entries.ts';
import { deviceIdSchema, entryIdSchema, versionIdSchema } from '../ids.ts';
import { countSchema, instantSchema, queryCountSchema, sequenceSchema } from '../scalars.ts';

const pageLimit = queryCountSchema({ min: 1, max: PROTOCOL_LIMITS.maxPageEntries }).optional();
const entryKindSchema = z.enum(['folder', 'file', 'link']);

/** Milliseconds since 1970 in a query string. */
const queryInstantSchema = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,15})$/, 'not an instant in milliseconds since 1970')
  .transform(Number)
  .pipe(instantSchema);

/** GET /activity: the personal space's journal for people, newest first. */
export const activityQuerySchema = z.strictObject({
  /** `next` of the page before: only what is older than this sequence. */
  before: queryCountSchema({ min: 1, max: 9_999_999_999 }).optional(),
  limit: pageLimit,
});

export const activityItemSchema = z.object({
  sequence: sequenceSchema,
  committedAt: instantSchema,
  deviceId: deviceIdSchema,
  deviceName: z.string(),
  username: z.string(),
  kind: z.enum(['created', 'edited', 'moved', 'renamed', 'deleted', 'restored']),
  entry: z.object({
    entryId: entryIdSchema,
    kind: entryKindSchema,
    /** As it was called right after; deleted things: right before. */
    name: z.string(),
    /** Where it is now; `null` when it is not in the live tree any more. */
    path: z.string().nullable(),
  }),
  /** Moves and renames: where it was before, as far as that is known. */
  fromPath: z.string().exactOptional(),
});
export type ActivityItem = z.infer<typeof activityItemSchema>;

export const activityResponseSchema = z.object({
  items: z.array(activityItemSchema),
  /** `before` of the next page; `null` at the beginning of time. */
  next: sequenceSchema.nullable(),
});
export type ActivityResponse = z.infer<typeof activityResponseSchema>;

/** GET /rewind: a folder as it was. */
export const rewindQuerySchema = z.strictObject({
  entryId: entryIdSchema,
  at: queryInstantSchema,
  /** The whole tree below instead of one level, up to 10,000 entries. */
  deep: z.enum(['0', '1', 'false', 'true']).optional(),
});

export const rewindItemSchema = z.object({
  entryId: entryIdSchema,
  kind: entryKindSchema,
  name: z.string(),
  parentId: entryIdSchema,
  /** As of then. */
  path: z.string(),
  /** Files and links whose version is still kept. */
  versionId: versionIdSchema.exactOptional(),
  sizeBytes: countSchema.exactOptional(),
  modifiedAtUs: modifiedAtUsSchema.exactOptional(),
});
export type RewindItem = z.infer<typeof rewindItemSchema>;

export const rewindResponseSchema = z.object({
  at: instantSchema,
  /** The last change that this state includes. */
  sequence: sequenceSchema,
  items: z.array(rewindItemSchema),
  /** False when there are more entries than one answer has room for. */
  complete: z.boolean(),
});
export type RewindResponse = z.infer<typeof rewindResponseSchema>;

/** GET /rewind/preview: what restoring would change. */
export const rewindPreviewQuerySchema = z.strictObject({
  entryId: entryIdSchema,
  at: queryInstantSchema,
  /** `next` of the page before. */
  after: queryCountSchema({ min: 0, max: 1_000_000_000 }).optional(),
  limit: pageLimit,
});

/**
 * `restore`: it comes back from the trash, or is made anew; `revert`: an earlier content; `move-back`: an earlier
 * place or name (and content, where that differs, too); `remove`: it appeared later and goes to the trash; `lost`: its
 * content is not kept any more, so it stays as it is.
 */
export const rewindChangeKindSchema = z.enum(['restore', 'revert', 'move-back', 'remove', 'lost']);

export const rewindChangeSchema = z.object({
  kind: rewindChangeKindSchema,
  entryId: entryIdSchema,
  entryKind: entryKindSchema,
  /** Where it will be; for what is removed: where it is now. */
  path: z.string(),
  /** Where it is now, where that differs. */
  fromPath: z.string().exactOptional(),
  sizeBytes: countSchema.exactOptional(),
});
export type RewindChange = z.infer<typeof rewindChangeSchema>;

export const rewindPreviewResponseSchema = z.object({
  at: instantSchema,
  sequence: sequenceSchema,
  changes: z.array(rewindChangeSchema),
  /** `after` of the next page. */
  next: countSchema.nullable(),
  counts: z.object({
    restore: countSchema,
    revert: countSchema,
    'move-back': countSchema,
    remove: countSchema,
    lost: countSchema,
  }),
});
export type RewindPreviewResponse = z.infer<typeof rewindPreviewResponseSchema>;

/** Twice what a page of changes names: undoing names the folders that were needed, too. */
export const MAX_REWIND_CHOSEN = 4000;

/** POST /rewind: makes the folder as it was. All of it is new changes, so it can itself be undone. */
export const rewindRequestSchema = z.strictObject({
  entryId: entryIdSchema,
  at: instantSchema.min(0),
  /** Only these changes of the preview (and the folders that they need). */
  only: z.array(entryIdSchema).min(1).max(MAX_REWIND_CHOSEN).exactOptional(),
});
export type RewindRequest = z.infer<typeof rewindRequestSchema>;

export const rewindDoneSchema = z.object({
  changed: countSchema,
  sequence: sequenceSchema,
  /** Rewinding to this instant undoes it: all of the folder, or where only some changes were asked for, `undoOnly`. */
  undoAt: instantSchema,
  /** `null` stands for all; left out where they are more than one request can name. */
  undoOnly: z.array(entryIdSchema).max(MAX_REWIND_CHOSEN).nullable().exactOptional(),
});
export type RewindDone = z.infer<typeof rewindDoneSchema>;
