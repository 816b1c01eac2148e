import { createHmac } from 'node:crypto';
import { createSimulatedEnvironment, type SimulatedEnvironment } from '@cairn/environment';
import { type BusEvent, createMemoryEventBus } from '@cairn/event-bus';
import { type MetadataStore, openSqliteMetadataStore } from '@cairn/metadata-store';
import { createId, type DeviceId } from '@cairn/model';
import type { SignedIn } from '@cairn/protocol';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AccessDependencies, createAccessServices } from '../access-services.ts';
import type { AccessServices } from '../access-services-types.ts';
import { ensureEpoch } from '../spaces/server-epoch.ts';

const PASSWORD = 'correct horse battery staple';
const SECRET = new Uint8Array(32).fill(7);
const CALLER = { address: '203.0.113.5' };
const MINUTE_MS = 60_000;

let environment: SimulatedEnvironment;
let store: MetadataStore;
let events: BusEvent[];
let access: AccessServices;
let dependencies: AccessDependencies;

beforeEach(async () => {
  environment = createSimulatedEnvironment({ seed: 5 });
  store = await openSqliteMetadataStore({ path: ':memory:', environment });
  await ensureEpoch(store, environment, null);
  const bus = createMemoryEventBus();
  events = [];
  bus.subscribe((event) => events.push(event));
  dependencies = {
    store,
    bus,
    environment,
    secret: SECRET,
    signUp: 'open',
    setUpCode: null,
    passwordCost: { memoryKib: 64, passes: 1, lanes: 1 },
  };
  access = createAccessServices(dependencies);
});
afterEach(async () => store.close());

function register(username: string): Promise<SignedIn> {
  return access.accounts.register({ username, password: PASSWORD, deviceName: 'Laptop' }, CALLER);
}
function login(username: string, password = PASSWORD, deviceId?: DeviceId): Promise<SignedIn> {
  const request = { username, password, deviceName: 'Phone' };
  return access.sessions.login(deviceId === undefined ? request : { ...request, deviceId }, CALLER);
}

describe('accounts', () => {
  it('make the first one the administrator, and give each its own space', async () => {
    const ann = await register('Ann');
    const bob = await register('bob');
    expect([ann.user.role, bob.user.role]).toEqual(['administrator', 'member']);
    expect(ann.spaceId).not.toBe(bob.spaceId);
    const { principal } = await access.sessions.authenticate(ann.accessToken);
    const me = await access.accounts.describe(principal);
    expect(me.spaces).toEqual([
      { spaceId: ann.spaceId, kind: 'personal', rootId: ann.rootId, role: 'owner', sequence: 0 },
    ]);
  });

  it('refuse a name that is the same after folding, and names and passwords that cannot be used', async () => {
    await register('Straße');
    await expect(register('STRASSE')).rejects.toMatchObject({ code: 'name-taken' });
    for (const username of ['', ' ann', '../ann', 'a'.repeat(65), 'ann\u0000', '-ann', '\ud800']) {
      await expect(register(username)).rejects.toMatchObject({ code: 'bad-name' });
    }
    for (const password of ['1234567', 'é'.repeat(513), '']) {
      const request = { username: 'eve', password, deviceName: 'x' };
      await expect(access.accounts.register(request, CALLER)).rejects.toMatchObject({ code: 'bad-request' });
    }
  });

  it('are made by one of two who are first at the same time when there is a set-up code', async () => {
    access = createAccessServices({ ...dependencies, signUp: 'invite', setUpCode: 'abcd-efgh' });
    const request = { password: PASSWORD, deviceName: 'x', setUpCode: 'abcd-efgh' };
    const results = await Promise.allSettled(
      ['ann', 'bob'].map((username) => access.accounts.register({ ...request, username }, CALLER)),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(access.accounts.register({ ...request, username: 'eve' }, CALLER)).rejects.toMatchObject({
      code: 'sign-up-closed',
    });
  });

  it('need the set-up code where it is asked for, and count wrong ones', async () => {
    access = createAccessServices({ ...dependencies, signUp: 'invite', setUpCode: 'abcd-efgh' });
    await expect(register('ann')).rejects.toMatchObject({ code: 'set-up-code-wrong' });
    const codes = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        access.accounts
          .register(
            { username: 'ann', password: PASSWORD, deviceName: 'x', setUpCode: `wrong${index}` },
            CALLER,
          )
          .catch((error: { code: string }) => error.code),
      ),
    );
    expect(codes.filter((code) => code === 'too-many-attempts').length).toBeGreaterThanOrEqual(4);
    await environment.advance(2 * MINUTE_MS);
    const request = { username: 'ann', password: PASSWORD, deviceName: 'x', setUpCode: ' abcd-efgh ' };
    expect((await access.accounts.register(request, CALLER)).user.role).toBe('administrator');
  });
});

describe('access tokens', () => {
  const key = createHmac('sha256', SECRET).update('cairn access token v1').digest();

  async function forge(ann: SignedIn, change: Record<string, unknown>, header: Record<string, unknown> = {}) {
    const nowS = Math.floor(environment.clock.now() / 1000);
    return new SignJWT({
      iss: 'cairn',
      aud: 'cairn-api',
      sub: ann.user.userId,
      device: ann.device.deviceId,
      role: 'administrator',
      purpose: 'access',
      iat: nowS,
      nbf: nowS,
      exp: nowS + 60,
      ...change,
    })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', ...header })
      .sign(key);
  }

  it('are taken only in exactly the form that we give out', async () => {
    const ann = await register('ann');
    const nowS = Math.floor(environment.clock.now() / 1000);
    // The forgery itself works, so each refusal below has its one reason.
    expect((await access.sessions.authenticate(await forge(ann, {}))).principal.userId).toBe(ann.user.userId);
    const wrong: Record<string, string> = {
      purpose: await forge(ann, { purpose: 'refresh' }),
      'no purpose': await forge(ann, { purpose: undefined }),
      issuer: await forge(ann, { iss: 'other' }),
      audience: await forge(ann, { aud: 'links' }),
      'not yet': await forge(ann, { nbf: nowS + 60 }),
      'no end': await forge(ann, { exp: undefined }),
      type: await forge(ann, {}, { typ: 'JWT' }),
      algorithm: await new SignJWT({})
        .setProtectedHeader({ alg: 'HS512', typ: 'at+jwt' })
        .sign(new Uint8Array(64)),
      none: new UnsecuredJWT({
        sub: ann.user.userId,
        device: ann.device.deviceId,
        purpose: 'access',
      }).encode(),
      'embedded key': await forge(ann, {}, { jwk: { kty: 'oct', k: 'AAAA' } }).then((token) =>
        token.slice(0, -4),
      ),
      'foreign user': await forge(ann, { sub: '../../etc' }),
      refresh: ann.refreshToken,
      empty: '',
      noise: 'a.b.c',
      long: 'a'.repeat(5000),
    };
    for (const [what, token] of Object.entries(wrong)) {
      const refused = await access.sessions.authenticate(token).catch((error: unknown) => error);
      expect({ what, error: refused }).toMatchObject({ what, error: { code: 'not-signed-in' } });
    }
    const stranger = await forge(ann, { device: createId<DeviceId>(environment.random.bytes(16)) });
    await expect(access.sessions.authenticate(stranger)).rejects.toMatchObject({ code: 'session-revoked' });
  });

  it('end after ten minutes and say so', async () => {
    const ann = await register('ann');
    await environment.advance(9 * MINUTE_MS);
    await access.sessions.authenticate(ann.accessToken);
    await environment.advance(2 * MINUTE_MS);
    await expect(access.sessions.authenticate(ann.accessToken)).rejects.toMatchObject({
      code: 'token-expired',
    });
  });

  it('end at once when their device is revoked', async () => {
    const ann = await register('ann');
    const phone = await login('ann');
    const { principal } = await access.sessions.authenticate(ann.accessToken);
    await access.devices.revoke(principal, phone.device.deviceId);
    await expect(access.sessions.authenticate(phone.accessToken)).rejects.toMatchObject({
      code: 'session-revoked',
    });
    await expect(access.sessions.refresh(phone.refreshToken)).rejects.toMatchObject({
      code: 'session-revoked',
    });
    expect(events).toEqual([
      { kind: 'device-revoked', userId: ann.user.userId, deviceId: phone.device.deviceId },
    ]);
    await access.sessions.authenticate(ann.accessToken);
  });
});

describe('refresh tokens', () => {
  it('rotate; one from before its successor was used means theft and ends the device', async () => {
    const first = await register('ann');
    const second = await access.sessions.refresh(first.refreshToken);
    const third = await access.sessions.refresh(second.refreshToken);
    await access.sessions.authenticate(third.accessToken);
    await expect(access.sessions.refresh(first.refreshToken)).rejects.toMatchObject({
      code: 'session-revoked',
    });
    await expect(access.sessions.refresh(third.refreshToken)).rejects.toMatchObject({
      code: 'session-revoked',
    });
    await expect(access.sessions.authenticate(third.accessToken)).rejects.toMatchObject({
      code: 'session-revoked',
    });
    expect(events.map(({ kind }) => kind)).toEqual(['device-revoked']);
  });

  it('are honoured again while the answer that replaced them may have been lost', async () => {
    const first = await register('ann');
    await access.sessions.refresh(first.refreshToken);
    await access.sessions.refresh(first.refreshToken);
    const again = await access.sessions.refresh(first.refreshToken);
    const next = await access.sessions.refresh(again.refreshToken);
    await access.sessions.authenticate(next.accessToken);
    expect(events).toEqual([]);
  });

  it('give no false alarm when two processes change the same one and then use the later answer', async () => {
    const first = await register('ann');
    const [one, other] = await Promise.all([
      access.sessions.refresh(first.refreshToken),
      access.sessions.refresh(first.refreshToken),
    ]);
    const next = await access.sessions.refresh(one.refreshToken);
    await access.sessions.refresh(next.refreshToken);
    expect(events).toEqual([]);
    // The one that nobody kept is spent.
    await expect(access.sessions.refresh(other.refreshToken)).rejects.toMatchObject({
      code: 'session-revoked',
    });
  });

  it('are only stored as hashes and end when a device stays away too long', async () => {
    const ann = await register('ann');
    const hash = await store.read((reader) => reader.getRefreshToken(ann.refreshToken));
    expect(hash).toBeUndefined();
    await environment.advance(181 * 24 * 60 * MINUTE_MS);
    await expect(access.sessions.refresh(ann.refreshToken)).rejects.toMatchObject({
      code: 'session-revoked',
    });
    for (const token of ['', 'x', ann.accessToken, `cairn_refresh_${'A'.repeat(43)}`]) {
      await expect(access.sessions.refresh(token)).rejects.toMatchObject({ code: 'session-revoked' });
    }
  });
});

describe('login', () => {
  it('uses a known device again, and only one of this account that was not signed out', async () => {
    const ann = await register('ann');
    const bob = await register('bob');
    const again = await login('ANN', PASSWORD, ann.device.deviceId);
    expect(again.device).toEqual({ deviceId: ann.device.deviceId, name: 'Phone' });
    const other = await login('ann', PASSWORD, bob.device.deviceId);
    expect(other.device.deviceId).not.toBe(bob.device.deviceId);
    const { principal } = await access.sessions.authenticate(again.accessToken);
    await access.sessions.logout(principal);
    await expect(access.sessions.authenticate(again.accessToken)).rejects.toMatchObject({
      code: 'session-revoked',
    });
    const fresh = await login('ann', PASSWORD, ann.device.deviceId);
    expect(fresh.device.deviceId).not.toBe(ann.device.deviceId);
  });

  it('answers a wrong password and an unknown account alike', async () => {
    await register('ann');
    const answers = [];
    for (const [username, password] of [
      ['ann', 'wrong password'],
      ['nobody', PASSWORD],
      ['\ud800', 'x'],
    ] as const) {
      answers.push(await login(username, password).catch(({ code, message }) => ({ code, message })));
    }
    expect(answers[0]).toMatchObject({ code: 'wrong-credentials' });
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
  });

  it('slows guessing down, also many at once, without locking the owner out elsewhere', async () => {
    await register('ann');
    const guesses = await Promise.all(
      Array.from({ length: 12 }, () => login('ann', 'wrong password').catch((error) => error)),
    );
    expect(
      guesses.map(({ code }) => code).filter((code) => code === 'wrong-credentials').length,
    ).toBeLessThanOrEqual(6);
    const refused = await login('ann').catch((error) => error);
    expect(refused).toMatchObject({
      code: 'too-many-attempts',
      details: { retryAfterMs: expect.any(Number) },
    });
    const elsewhere = { address: '198.51.100.7' };
    const request = { username: 'ann', password: PASSWORD, deviceName: 'Phone' };
    expect((await access.sessions.login(request, elsewhere)).user.username).toBe('ann');
    await environment.advance(refused.details.retryAfterMs);
    expect((await login('ann')).user.username).toBe('ann');
  });

  it('slows one address that tries one password on many accounts down', async () => {
    const codes = [];
    for (let index = 0; index < 25; index++) {
      codes.push(await login(`user${index}`, 'password1').catch(({ code }) => code));
    }
    expect(codes.slice(0, 20).every((code) => code === 'wrong-credentials')).toBe(true);
    expect(codes.at(-1)).toBe('too-many-attempts');
  });
});

describe('devices', () => {
  it('are listed and revoked by their owner only', async () => {
    const ann = await register('ann');
    const bob = await register('bob');
    const { principal } = await access.sessions.authenticate(bob.accessToken);
    await expect(access.devices.revoke(principal, ann.device.deviceId)).rejects.toMatchObject({
      code: 'not-found',
    });
    expect((await access.devices.list(principal)).map(({ deviceId }) => deviceId)).toEqual([
      bob.device.deviceId,
    ]);
    await access.devices.revoke(principal, bob.device.deviceId);
    await access.devices.revoke(principal, bob.device.deviceId);
    expect(await access.devices.isActive(principal)).toBe(false);
  });
});
