import type {
  BlockId,
  ChangesetId,
  ContentId,
  DeviceId,
  EntryId,
  Epoch,
  SpaceId,
  TransferId,
  UploadId,
  UserId,
  VersionId,
} from '@cairn/model';
import { z } from 'zod';

function randomId<Id extends string>(): z.ZodType<Id> {
  // The pattern is the check; the brand exists only for the compiler.
  return z.string().regex(/^[a-z2-7]{26}$/, 'not an id') as unknown as z.ZodType<Id>;
}

function digestId<Id extends string>(pattern: RegExp, problem: string): z.ZodType<Id> {
  return z.string().regex(pattern, problem) as unknown as z.ZodType<Id>;
}

export const userIdSchema = randomId<UserId>();
export const deviceIdSchema = randomId<DeviceId>();
export const spaceIdSchema = randomId<SpaceId>();
export const entryIdSchema = randomId<EntryId>();
export const versionIdSchema = randomId<VersionId>();
export const changesetIdSchema = randomId<ChangesetId>();
export const uploadIdSchema = randomId<UploadId>();
export const transferIdSchema = randomId<TransferId>();
export const epochSchema = randomId<Epoch>();
export const blockIdSchema = digestId<BlockId>(/^0[12][0-9a-f]{64}$/, 'not a block id of a known algorithm');
export const contentIdSchema = digestId<ContentId>(
  /^03[0-9a-f]{64}$/,
  'not a content id of a known algorithm',
);
