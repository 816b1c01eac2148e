import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemEnvironment } from '@cairn/environment';
import { CairnError, type DeviceId, type EntryId, type SpaceId, type UserId } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileSessionStore } from './node/file-session-store.ts';
import { createSession, type Session } from './session.ts';
import type { SessionRecord } from './session-store.ts';

const ID = 'b'.repeat(26);
const URL = 'http://127.0.0.1:1';

function recordWith(number: number, expiresInMs: number, ageMs = 3_600_000): SessionRecord {
  return {
    serverUrl: URL,
    user: { userId: ID as UserId, username: 'ann', role: 'member' },
    device: { deviceId: ID as DeviceId, name: 'Laptop' },
    spaceId: ID as SpaceId,
    rootId: ID as EntryId,
    accessToken: `access-${number}`,
    accessTokenExpiresAt: Date.now() + expiresInMs,
    receivedAt: Date.now() - ageMs,
    refreshToken: `refresh-${number}`,
  };
}

describe('the session of a device', () => {
  let home: string;
  /** Like the server: a refresh token is good once; the second use revokes everything. */
  let current: number;
  let thefts: number;

  beforeEach(async () => {
    home = join(await mkdtemp(join(tmpdir(), 'cairn-session-')), 'home');
    current = 1;
    thefts = 0;
  });
  afterEach(() => rm(join(home, '..'), { recursive: true }));

  function openSession(): Session {
    return createSession({
      serverUrl: URL,
      store: createFileSessionStore(home),
      environment: createSystemEnvironment(),
      async refresh(token) {
        if (token !== `refresh-${current}`) {
          thefts++;
          throw new CairnError('session-revoked', 'revoked');
        }
        current++;
        const number = current;
        await new Promise((resolve) => setTimeout(resolve, 5));
        return recordWith(number, 900_000, 0);
      },
    });
  }

  it('keeps its file private', async () => {
    await createFileSessionStore(home).write(recordWith(1, 1));
    expect((await stat(home)).mode & 0o777).toBe(0o700);
    expect((await stat(join(home, 'session.json'))).mode & 0o777).toBe(0o600);
  });

  it('renews once for many callers in several sessions of one home', async () => {
    await createFileSessionStore(home).write(recordWith(1, 10_000));
    const sessions = [openSession(), openSession(), openSession()];
    const tokens = await Promise.all(sessions.flatMap((session) => [session.current(), session.current()]));
    expect(new Set(tokens)).toEqual(new Set(['access-2']));
    expect(thefts).toBe(0);
    expect(await openSession().current()).toBe('access-2');
  });

  it('replaces a refused token once, whoever was refused', async () => {
    await createFileSessionStore(home).write(recordWith(1, 900_000));
    const sessions = [openSession(), openSession()];
    const tokens = await Promise.all(sessions.map((session) => session.replace('access-1')));
    expect(tokens).toEqual(['access-2', 'access-2']);
    expect(thefts).toBe(0);
  });

  it('says to sign in again when it was revoked, and goes on after that', async () => {
    const store = createFileSessionStore(home);
    await store.write(recordWith(1, 900_000));
    current = 7;
    const session = openSession();
    await expect(session.replace('access-1')).rejects.toMatchObject({
      code: 'session-revoked',
      message: expect.stringContaining('cairn login'),
    });
    expect(await session.reload('access-1')).toBeNull();
    await store.write(recordWith(7, 900_000));
    expect(await session.reload('access-1')).toBe('access-7');
    expect(await session.current()).toBe('access-7');
  });

  it('does not send the tokens of one server to another', async () => {
    await createFileSessionStore(home).write({
      ...recordWith(1, 900_000),
      serverUrl: 'https://other.example',
    });
    await expect(openSession().current()).rejects.toMatchObject({ code: 'not-signed-in' });
  });

  it('trusts a young token although the clocks disagree', async () => {
    await createFileSessionStore(home).write(recordWith(1, -5_000_000, 1000));
    expect(await openSession().current()).toBe('access-1');
  });
});
