import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './testing/test-server.ts';

describe('rate limits', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({
      trustedProxies: ['127.0.0.1'],
      limits: { deviceRequests: 5, anonymousRequests: 4, signInRequests: 3 },
    });
  });
  afterAll(async () => server.close());

  async function statuses(count: number, ask: () => Promise<{ status: number }>): Promise<number[]> {
    const all = [];
    for (let index = 0; index < count; index++) all.push((await ask()).status);
    return all;
  }

  it('count people who are signed in by device, others by address, and sign-in apart', async () => {
    const ann = await server.register('ann');
    const phone = await server.login('ann', 'Phone');
    const ask = (token: string) => () => server.ask('GET', '/api/v1/me', { token });
    expect(await statuses(6, ask(ann.accessToken))).toEqual([200, 200, 200, 200, 200, 429]);
    const refused = await server.ask('GET', '/api/v1/me', { token: ann.accessToken });
    expect(refused.json.code).toBe('too-many-attempts');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await ask(phone.accessToken)()).status).toBe(200);

    const from = (address: string) => ({ 'x-forwarded-for': address });
    const look = (address: string) => () => server.ask('GET', '/api/v1/server', { headers: from(address) });
    expect(await statuses(5, look('203.0.113.1'))).toEqual([200, 200, 200, 200, 429]);
    expect((await look('203.0.113.2')()).status).toBe(200);
    // Guessing tokens counts as an address without one does.
    const guess = () => server.ask('GET', '/api/v1/me', { token: 'guess', headers: from('203.0.113.3') });
    expect(await statuses(5, guess)).toEqual([401, 401, 401, 401, 429]);
    const refresh = () =>
      server.ask('POST', '/api/v1/auth/refresh', {
        json: { refreshToken: 'guess' },
        headers: from('203.0.113.4'),
      });
    expect(await statuses(4, refresh)).toEqual([401, 401, 401, 429]);
  });
});
