import {
  type ConflictMark,
  type ConflictPolicy,
  type Entry,
  type FileContent,
  MANIFEST_LIMITS,
  type Version,
} from '@cairn/model';
import { z } from 'zod';
import { blockIdSchema, contentIdSchema, deviceIdSchema, entryIdSchema, versionIdSchema } from './ids.ts';
import { instantSchema, sequenceSchema, textSchema } from './scalars.ts';

const MAX_NAME_CHARACTERS = 255;
const MAX_TARGET_CHARACTERS = 4096;

export const nameSchema = textSchema(MAX_NAME_CHARACTERS);
export const targetSchema = textSchema(MAX_TARGET_CHARACTERS);
export const modifiedAtUsSchema = z.int();

/** Bytes of the largest file: what sizes summed over a whole manifest can still be counted exactly with. */
const fileSizeSchema = z.int().min(0);

export const manifestPartSchema = z.strictObject({
  block: blockIdSchema,
  sizeBytes: z.int().min(1),
});

export const manifestRootSchema = z.strictObject({
  profile: z.enum(['t32-64k', 't32-256k', 't32-1m']),
  depth: z.int().min(0).max(MANIFEST_LIMITS.maxDepth),
  parts: z.array(manifestPartSchema).max(MANIFEST_LIMITS.maxRootParts),
});

export const fileContentSchema: z.ZodType<FileContent> = z.strictObject({
  contentId: contentIdSchema,
  sizeBytes: fileSizeSchema,
  manifest: manifestRootSchema,
});

const MAX_DEVICE_NAME_CHARACTERS = 200;

export const conflictPolicySchema: z.ZodType<ConflictPolicy> = z.enum(['keep-both', 'last-write-wins']);

export const conflictMarkSchema: z.ZodType<ConflictMark> = z.strictObject({
  entryId: entryIdSchema,
  baseSequence: sequenceSchema.nullable(),
  deviceName: textSchema(MAX_DEVICE_NAME_CHARACTERS),
  at: instantSchema,
});

const entryCommon = {
  entryId: entryIdSchema,
  parentId: entryIdSchema.nullable(),
  name: z.string(),
  sequence: sequenceSchema,
};

/** An entry as our own clients get it, with its content. */
export const entrySchema: z.ZodType<Entry> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('folder'),
    ...entryCommon,
    conflictPolicy: conflictPolicySchema.exactOptional(),
  }),
  z.object({
    kind: z.literal('file'),
    ...entryCommon,
    versionId: versionIdSchema,
    content: fileContentSchema,
    executable: z.boolean(),
    modifiedAtUs: modifiedAtUsSchema,
    conflictOf: conflictMarkSchema.exactOptional(),
  }),
  z.object({
    kind: z.literal('link'),
    ...entryCommon,
    versionId: versionIdSchema,
    target: z.string(),
    modifiedAtUs: modifiedAtUsSchema,
    conflictOf: conflictMarkSchema.exactOptional(),
  }),
]);

/** A saved version with its content. */
export const versionSchema: z.ZodType<Version> = z.object({
  versionId: versionIdSchema,
  entryId: entryIdSchema,
  sequence: sequenceSchema,
  kind: z.enum(['file', 'link']),
  content: fileContentSchema.nullable(),
  target: z.string().nullable(),
  executable: z.boolean(),
  modifiedAtUs: modifiedAtUsSchema,
  deviceId: deviceIdSchema,
  committedAt: instantSchema,
});
