import { z } from 'zod';
import { PROTOCOL_LIMITS } from '../constants.ts';
import {
  conflictMarkSchema,
  conflictPolicySchema,
  fileContentSchema,
  modifiedAtUsSchema,
  nameSchema,
} from '../entries.ts';
import { contentIdSchema, deviceIdSchema, entryIdSchema, uploadIdSchema, versionIdSchema } from '../ids.ts';
import {
  countSchema,
  instantSchema,
  queryCountSchema,
  queryFlagSchema,
  sequenceSchema,
  textSchema,
} from '../scalars.ts';
import { retentionSchema } from './retention.ts';

const MAX_PATH_CHARACTERS = 32_768;
const MAX_AFTER_CHARACTERS = 1024;

export const pathSchema = textSchema(MAX_PATH_CHARACTERS);
const pageLimit = queryCountSchema({ min: 1, max: PROTOCOL_LIMITS.maxPageEntries }).optional();

/** An entry as scripts see it: flat, with its path and without the list of its blocks. */
export const fileObjectSchema = z.object({
  entryId: entryIdSchema,
  parentId: entryIdSchema.nullable(),
  kind: z.enum(['folder', 'file', 'link']),
  name: z.string(),
  path: z.string(),
  sequence: sequenceSchema,
  /** Files only, as the next ones; for links `target` and `modifiedAtUs`. */
  sizeBytes: countSchema.optional(),
  contentId: contentIdSchema.optional(),
  versionId: versionIdSchema.optional(),
  executable: z.boolean().optional(),
  /** Microseconds since 1970. */
  modifiedAtUs: modifiedAtUsSchema.optional(),
  target: z.string().optional(),
  /** Conflict copies: what they are a copy of. */
  conflictOf: conflictMarkSchema.optional(),
  /** Folders that say it: what happens to two different edits of one file. */
  conflictPolicy: conflictPolicySchema.optional(),
});
export type FileObject = z.infer<typeof fileObjectSchema>;

/** GET /files?path= */
export const filesQuerySchema = z.strictObject({
  path: pathSchema,
  /** `next` of the page before. */
  after: textSchema(MAX_AFTER_CHARACTERS).optional(),
  limit: pageLimit,
});

/** `children` is a page of a folder, in the order of folded names; absent for files and links. */
export const filesResponseSchema = z.object({
  entry: fileObjectSchema,
  children: z.array(fileObjectSchema).optional(),
  next: z.string().nullable().optional(),
});
export type FilesResponse = z.infer<typeof filesResponseSchema>;

/** GET /files/{entryId}; `content` with the manifest for files. */
export const fileResponseSchema = z.object({
  entry: fileObjectSchema,
  content: fileContentSchema.optional(),
});
export type FileResponse = z.infer<typeof fileResponseSchema>;

export const entryParamsSchema = z.strictObject({ entryId: entryIdSchema });

/** PATCH /files/{entryId}: what is named changes. `path` is the whole new path; not with `parentId` or `name`. */
export const updateFileRequestSchema = z
  .strictObject({
    path: pathSchema.exactOptional(),
    parentId: entryIdSchema.exactOptional(),
    name: nameSchema.exactOptional(),
    executable: z.boolean().exactOptional(),
    modifiedAtUs: modifiedAtUsSchema.exactOptional(),
    conflictPolicy: conflictPolicySchema.nullable().exactOptional(),
  })
  .refine((body) => Object.keys(body).length > 0, 'name at least one thing to change')
  .refine(
    (body) => body.path === undefined || (body.parentId === undefined && body.name === undefined),
    'give either path, or parentId and name',
  );
export type UpdateFileRequest = z.infer<typeof updateFileRequestSchema>;

/** Answer of what makes or changes one entry. */
export const entryResponseSchema = z.object({ entry: fileObjectSchema });
export type EntryResponse = z.infer<typeof entryResponseSchema>;

/** POST /folders */
export const createFolderRequestSchema = z.strictObject({
  path: pathSchema,
  /** Whether missing parents are made, and an existing folder is as good as a new one. */
  parents: z.boolean().exactOptional(),
});
export type CreateFolderRequest = z.infer<typeof createFolderRequestSchema>;

/** PUT /files/content?path=. `If-Match` with an ETag makes it conditional; `If-None-Match: *` only creates. */
export const putFileQuerySchema = z.strictObject({
  path: pathSchema,
  executable: queryFlagSchema.optional(),
  modifiedAtUs: z
    .string()
    .regex(/^-?(0|[1-9][0-9]{0,15})$/, 'not a whole number of microseconds')
    .transform(Number)
    .pipe(modifiedAtUsSchema)
    .optional(),
});

/** GET /files/{entryId}/content */
export const contentQuerySchema = z.strictObject({
  versionId: versionIdSchema.optional(),
  /** Shown in the browser where its type is one that cannot do harm; everything else is handed out to be saved. */
  inline: z
    .enum(['0', '1', 'false', 'true'])
    .optional()
    .transform((text) => text === '1' || text === 'true'),
});

export const versionObjectSchema = z.object({
  versionId: versionIdSchema,
  sequence: sequenceSchema,
  kind: z.enum(['file', 'link']),
  sizeBytes: countSchema,
  contentId: contentIdSchema.nullable(),
  target: z.string().nullable(),
  executable: z.boolean(),
  modifiedAtUs: modifiedAtUsSchema,
  deviceId: deviceIdSchema,
  /** What the device is called now. */
  deviceName: z.string(),
  committedAt: instantSchema,
});
export type VersionObject = z.infer<typeof versionObjectSchema>;

/** GET /files/{entryId}/versions, newest first. */
export const versionsQuerySchema = z.strictObject({ limit: pageLimit });
export const versionsResponseSchema = z.object({ versions: z.array(versionObjectSchema) });
export type VersionsResponse = z.infer<typeof versionsResponseSchema>;

/** POST /files/{entryId}/revert */
export const revertRequestSchema = z.strictObject({ versionId: versionIdSchema });
export type RevertRequest = z.infer<typeof revertRequestSchema>;

/** GET /trash, newest first. */
export const trashQuerySchema = z.strictObject({
  limit: pageLimit,
  offset: queryCountSchema({ min: 0, max: 1_000_000_000 }).optional(),
});
export const trashResponseSchema = z.object({
  items: z.array(
    z.object({
      entryId: entryIdSchema,
      kind: z.enum(['folder', 'file', 'link']),
      name: z.string(),
      /** Where it was. */
      path: z.string(),
      trashedAt: instantSchema,
      deviceId: deviceIdSchema,
      /** What the device that trashed it is called now. */
      deviceName: z.string(),
      sizeBytes: countSchema.nullable(),
      /** When the clean-up may remove it; `null`: it is kept until somebody removes it. */
      expiresAt: instantSchema.nullable(),
    }),
  ),
  /** `offset` of the next page. */
  next: countSchema.nullable(),
  /** How long this trash is kept. */
  retention: retentionSchema.shape.trash,
});
export type TrashResponse = z.infer<typeof trashResponseSchema>;

/** DELETE /trash */
export const emptyTrashResponseSchema = z.object({ items: countSchema, entries: countSchema });
export type EmptyTrashResponse = z.infer<typeof emptyTrashResponseSchema>;

/** POST /trash/{entryId}/restore; without `path` it goes back to where it was. */
export const restoreRequestSchema = z.strictObject({ path: pathSchema.exactOptional() });
export type RestoreRequest = z.infer<typeof restoreRequestSchema>;

/** POST /uploads */
export const createUploadRequestSchema = z.strictObject({
  path: pathSchema,
  sizeBytes: countSchema,
  /** SHA-256 of the whole file in hex; checked on completion. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'not a SHA-256 in hex')
    .exactOptional(),
});
export type CreateUploadRequest = z.infer<typeof createUploadRequestSchema>;

export const uploadResponseSchema = z.object({
  uploadId: uploadIdSchema,
  path: z.string(),
  sizeBytes: countSchema,
  /** Every part has this size, the last one what is left. */
  partBytes: countSchema,
  /** Part numbers, from 1 on. */
  missingParts: z.array(countSchema),
  expiresAt: instantSchema,
});
export type UploadResponse = z.infer<typeof uploadResponseSchema>;

/** POST /uploads/{uploadId}/complete */
export const completeUploadRequestSchema = z.strictObject({
  executable: z.boolean().exactOptional(),
  modifiedAtUs: modifiedAtUsSchema.exactOptional(),
});
export type CompleteUploadRequest = z.infer<typeof completeUploadRequestSchema>;

export const uploadParamsSchema = z.strictObject({ uploadId: uploadIdSchema });
export const uploadPartParamsSchema = z.strictObject({
  uploadId: uploadIdSchema,
  /** From 1 on. */
  partNumber: queryCountSchema({ min: 1, max: PROTOCOL_LIMITS.maxUploadParts }),
});
