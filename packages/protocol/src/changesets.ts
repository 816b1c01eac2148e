import type { Change, ChangeConflict, Changeset, CommitResult, JournalChange, NewEntry } from '@cairn/model';
import { CHANGESET_LIMITS } from '@cairn/model';
import { z } from 'zod';
import {
  conflictMarkSchema,
  conflictPolicySchema,
  entrySchema,
  fileContentSchema,
  modifiedAtUsSchema,
  nameSchema,
  targetSchema,
} from './entries.ts';
import { changesetIdSchema, deviceIdSchema, entryIdSchema, versionIdSchema } from './ids.ts';
import { cursorTextSchema, instantSchema, sequenceSchema } from './scalars.ts';

const newEntrySchema: z.ZodType<NewEntry> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('folder') }),
  z.strictObject({
    kind: z.literal('file'),
    content: fileContentSchema,
    executable: z.boolean(),
    modifiedAtUs: modifiedAtUsSchema,
    conflictOf: conflictMarkSchema.exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('link'),
    target: targetSchema,
    modifiedAtUs: modifiedAtUsSchema,
    conflictOf: conflictMarkSchema.exactOptional(),
  }),
]);

export const changeSchema: z.ZodType<Change> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('create'),
    entryId: entryIdSchema,
    parentId: entryIdSchema,
    name: nameSchema,
    entry: newEntrySchema,
  }),
  z.strictObject({
    kind: z.literal('update'),
    entryId: entryIdSchema,
    baseSequence: sequenceSchema,
    parentId: entryIdSchema.exactOptional(),
    name: nameSchema.exactOptional(),
    content: fileContentSchema.exactOptional(),
    target: targetSchema.exactOptional(),
    executable: z.boolean().exactOptional(),
    modifiedAtUs: modifiedAtUsSchema.exactOptional(),
    conflictOf: conflictMarkSchema.nullable().exactOptional(),
    conflictPolicy: conflictPolicySchema.nullable().exactOptional(),
  }),
  z.strictObject({ kind: z.literal('remove'), entryId: entryIdSchema, baseSequence: sequenceSchema }),
  z.strictObject({
    kind: z.literal('restore'),
    entryId: entryIdSchema,
    parentId: entryIdSchema,
    name: nameSchema,
  }),
]);

export const changesetSchema: z.ZodType<Changeset> = z.strictObject({
  changesetId: changesetIdSchema,
  cursor: cursorTextSchema.exactOptional(),
  changes: z.array(changeSchema).min(1).max(CHANGESET_LIMITS.maxChanges),
});

export const commitResultSchema: z.ZodType<CommitResult> = z.object({
  changesetId: changesetIdSchema,
  sequence: sequenceSchema,
  journal: z.object({ before: cursorTextSchema, after: cursorTextSchema }),
  results: z.array(
    z.object({
      entryId: entryIdSchema,
      sequence: sequenceSchema,
      versionId: versionIdSchema.nullable(),
    }),
  ),
});

/** An item of `conflicts` in the problem with code `conflict`. */
export const changeConflictSchema: z.ZodType<ChangeConflict> = z.object({
  index: z.int().min(0),
  entryId: entryIdSchema,
  reason: z.enum([
    'stale-base',
    'entry-missing',
    'parent-missing',
    'name-taken',
    'cycle',
    'entry-exists',
    'not-allowed',
  ]),
  current: entrySchema.nullable(),
});

export const journalChangeSchema: z.ZodType<JournalChange> = z.object({
  sequence: sequenceSchema,
  changesetId: changesetIdSchema,
  deviceId: deviceIdSchema,
  committedAt: instantSchema,
  kind: z.enum(['create', 'update', 'remove', 'restore']),
  entryId: entryIdSchema,
  entryKind: z.enum(['folder', 'file', 'link']),
  entry: entrySchema.nullable(),
});
