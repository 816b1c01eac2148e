import { type BlockId, type Changeset, ERROR_CODES, shardIdOf } from '@cairn/model';
import { describe, expect, it } from 'vitest';
import { changesetSchema } from './changesets.ts';
import { ERROR_TABLE } from './errors.ts';
import { parseServerEvent } from './events.ts';
import { loginRequestSchema } from './http/auth.ts';
import { updateFileRequestSchema } from './http/files.ts';
import { changesQuerySchema } from './http/spaces.ts';
import { blockIdSchema } from './ids.ts';

const id = 'a'.repeat(26);
const cursor = `${'b'.repeat(26)}.0.${'0'.repeat(16)}`;

describe('schemas', () => {
  it('accept a changeset and refuse members that they do not know', () => {
    const changeset = {
      changesetId: id,
      changes: [{ kind: 'remove', entryId: id, baseSequence: 3 }],
    } as unknown as Changeset;
    expect(changesetSchema.parse(changeset)).toEqual(changeset);
    for (const extra of ['role', 'ownerId', 'spaceId', 'constructor']) {
      expect(changesetSchema.safeParse({ ...changeset, [extra]: 'x' }).success).toBe(false);
    }
    const polluted = JSON.parse(`{"changesetId":"${id}","changes":[],"__proto__":{"role":"administrator"}}`);
    expect(changesetSchema.safeParse(polluted).success).toBe(false);
  });

  it('refuse ids of another form', () => {
    for (const wrong of ['', 'A'.repeat(26), '../../etc/passwd', 'a'.repeat(25), `${id}\n`, '1'.repeat(26)]) {
      expect(changesetSchema.safeParse({ changesetId: wrong, changes: [] }).success).toBe(false);
    }
  });

  it('know no shards: those are between servers and storage nodes', () => {
    const blockId = `01${'a'.repeat(64)}` as BlockId;
    expect(blockIdSchema.safeParse(blockId).success).toBe(true);
    for (let index = 0; index < 6; index++) {
      for (const of of [blockId, `02${'a'.repeat(64)}` as BlockId]) {
        expect(blockIdSchema.safeParse(shardIdOf(of, index)).success).toBe(false);
      }
    }
  });

  it('refuse text with lone surrogates', () => {
    const login = { username: 'ann', password: 'long enough', deviceName: 'Laptop' };
    expect(loginRequestSchema.safeParse(login).success).toBe(true);
    expect(loginRequestSchema.safeParse({ ...login, deviceName: '\ud800' }).success).toBe(false);
    expect(loginRequestSchema.safeParse({ ...login, role: 'administrator' }).success).toBe(false);
  });

  it('take numbers of a query only as plain digits within the limits', () => {
    const query = { spaceId: id, cursor };
    expect(changesQuerySchema.parse({ ...query, limit: '2000', waitMs: '0' })).toMatchObject({
      limit: 2000,
      waitMs: 0,
    });
    for (const limit of ['', '0', '2001', '1e3', ' 7', '-1', '0x10', '1.5', '١']) {
      expect(changesQuerySchema.safeParse({ ...query, limit }).success).toBe(false);
    }
    expect(changesQuerySchema.safeParse({ ...query, cursor: 'x' }).success).toBe(false);
    expect(changesQuerySchema.safeParse({ ...query, limit: ['1', '2'] }).success).toBe(false);
  });

  it('ask for one way to say where an entry goes', () => {
    expect(updateFileRequestSchema.safeParse({ path: '/a' }).success).toBe(true);
    expect(updateFileRequestSchema.safeParse({ path: '/a', name: 'b' }).success).toBe(false);
    expect(updateFileRequestSchema.safeParse({}).success).toBe(false);
  });

  it('ignore events that they do not know', () => {
    expect(parseServerEvent(`{"type":"hint","spaceId":"${id}","sequence":4}`)).toEqual({
      type: 'hint',
      spaceId: id,
      sequence: 4,
    });
    for (const text of ['', '{', 'null', '{"type":"other"}', '{"type":"hint","spaceId":"x","sequence":-1}']) {
      expect(parseServerEvent(text)).toBeNull();
    }
  });

  it('give every error code a status that fits', () => {
    expect(Object.keys(ERROR_TABLE).sort()).toEqual(Object.keys(ERROR_CODES).sort());
    for (const { status } of Object.values(ERROR_TABLE)) expect(status).toBeGreaterThanOrEqual(400);
  });
});
