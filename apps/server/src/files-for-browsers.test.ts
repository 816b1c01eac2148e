import { createHash, randomBytes } from 'node:crypto';
import {
  accountUsageResponseSchema,
  activityResponseSchema,
  capacityResponseSchema,
  rewindDoneSchema,
  rewindPreviewResponseSchema,
  rewindResponseSchema,
  type SignedIn,
  searchResponseSchema,
  trashResponseSchema,
  versionsResponseSchema,
} from '@cairn/protocol';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBufferPromise } from 'yauzl';
import { startTestServer, type TestServer } from './testing/test-server.ts';

let server: TestServer;
let ann: SignedIn;
let token: string;

beforeAll(async () => {
  server = await startTestServer();
  ann = await server.register('ann', 'Laptop');
  token = ann.accessToken;
}, 60_000);
afterAll(async () => server.close());

async function put(path: string, body: Uint8Array | string) {
  const answer = await server.ask('PUT', `/api/v1/files/content?path=${encodeURIComponent(path)}`, {
    token,
    body,
  });
  expect(answer.status, answer.text).toBe(200);
  return answer.json.entry as { entryId: string; versionId: string; path: string };
}
const get = (path: string, headers: Record<string, string> = {}) =>
  server.ask('GET', path, { token, headers });
async function idOf(path: string): Promise<string> {
  return (await get(`/api/v1/files?path=${encodeURIComponent(path)}`)).json.entry.entryId;
}

describe('content for browsers', () => {
  it.each([
    ['picture.PNG', 'image/png'],
    ['film.mp4', 'video/mp4'],
    ['paper.pdf', 'application/pdf'],
    ['notes.md', 'text/plain; charset=utf-8'],
    ['code.ts', 'text/plain; charset=utf-8'],
  ])('shows %s under its own policy when asked', async (name, mediaType) => {
    const { entryId } = await put(`/inline/${name}`, '<script>alert(1)</script>');
    const shown = await get(`/api/v1/files/${entryId}/content?inline=1`);
    expect(shown.headers.get('content-type')).toBe(mediaType);
    expect(shown.headers.get('content-disposition')).toMatch(/^inline; /);
    expect(shown.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(shown.headers.get('content-security-policy')).not.toContain('script-src');
    expect(shown.headers.get('x-content-type-options')).toBe('nosniff');
    const part = await get(`/api/v1/files/${entryId}/content?inline=1`, { range: 'bytes=1-6' });
    expect([part.status, part.text]).toEqual([206, 'script']);
    const saved = await get(`/api/v1/files/${entryId}/content`);
    expect(saved.headers.get('content-disposition')).toMatch(/^attachment; /);
    expect(saved.headers.get('content-type')).toBe('application/octet-stream');
  });

  it.each(['a.html', 'a.htm', 'a.svg', 'a.xml', 'a.xhtml', 'a.svgz', 'a.mht', 'a', 'a.png.html', 'a.exe'])(
    'never shows %s',
    async (name) => {
      const { entryId } = await put(`/inline/${name}`, '<script>alert(1)</script>');
      const saved = await get(`/api/v1/files/${entryId}/content?inline=1`);
      expect(saved.headers.get('content-disposition')).toMatch(/^attachment; /);
      expect(saved.headers.get('content-type')).toBe('application/octet-stream');
      expect(saved.headers.get('content-security-policy')).toBe("sandbox; default-src 'none'");
    },
  );
});

describe('thumbnails', () => {
  const thumbnail = (entryId: string, query = '') => get(`/api/v1/files/${entryId}/thumbnail${query}`);

  it('are small WebP, the right way up, and known by their version', async () => {
    const picture = await sharp({ create: { width: 1200, height: 600, channels: 3, background: '#08f' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const { entryId, versionId } = await put('/pictures/wide.jpg', picture);
    const small = await thumbnail(entryId);
    expect(small.status, small.text).toBe(200);
    expect(small.headers.get('content-type')).toBe('image/webp');
    expect(await sharp(small.bytes).metadata()).toMatchObject({ format: 'webp', width: 128, height: 256 });
    expect(small.headers.get('etag')).toBe(`"${versionId}-256"`);
    const large = await thumbnail(entryId, `?size=1024&versionId=${versionId}`);
    expect(await sharp(large.bytes).metadata()).toMatchObject({ height: 1024 });
    expect(large.headers.get('cache-control')).toContain('immutable');
    const again = await get(`/api/v1/files/${entryId}/thumbnail`, { 'if-none-match': `"${versionId}-256"` });
    expect(again.status).toBe(304);
  }, 60_000);

  it.each([
    ['no picture by its name', 'a.txt', async () => Buffer.from('text')],
    ['no picture but by its name', 'a.png', async () => Buffer.from('text')],
    [
      'SVG under another name',
      'svg.png',
      async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
    ],
    [
      'damaged',
      'cut.png',
      async () =>
        (
          await sharp({
            create: {
              width: 300,
              height: 300,
              channels: 3,
              background: 'red',
              noise: { type: 'gaussian', mean: 128, sigma: 30 },
            },
          })
            .png()
            .toBuffer()
        ).subarray(0, 5000),
    ],
    [
      'a decompression bomb',
      'bomb.png',
      async () =>
        sharp({ create: { width: 16_000, height: 16_000, channels: 3, background: 'black' } })
          .png({ compressionLevel: 9 })
          .toBuffer(),
    ],
  ])(
    'are not made of what is %s',
    async (_what, name, make) => {
      const bytes = await make();
      const { entryId } = await put(`/pictures/${name}`, new Uint8Array(bytes));
      const answer = await thumbnail(entryId);
      expect([answer.status, answer.json.code]).toEqual([415, 'no-preview']);
    },
    120_000,
  );
});

describe('search', () => {
  it('finds names over the whole space, beginnings first, page by page', async () => {
    await put('/search/deep/Zürich plan.txt', '1');
    await put('/search/plan of ZÜRICH.txt', '2');
    await put('/search/zurich.txt', '3');
    const found = searchResponseSchema.parse((await get('/api/v1/search?q=z%C3%BCrich')).json);
    expect(found.items.map(({ path }) => path)).toEqual([
      '/search/deep/Zürich plan.txt',
      '/search/zurich.txt',
      '/search/plan of ZÜRICH.txt',
    ]);
    const paged: string[] = [];
    for (let next: string | null = ''; next !== null; ) {
      const after: string = next === '' ? '' : `&after=${encodeURIComponent(next)}`;
      const page: ReturnType<typeof searchResponseSchema.parse> = searchResponseSchema.parse(
        (await get(`/api/v1/search?q=ZURICH&limit=1${after}`)).json,
      );
      paged.push(...page.items.map(({ path }) => path));
      next = page.next;
    }
    expect(paged).toEqual(found.items.map(({ path }) => path));
    expect((await get('/api/v1/search?q=x&after=nonsense')).status).toBe(400);
    expect((await get('/api/v1/search?q=')).status).toBe(400);
  });
});

/** The SHA-256 of each thing in a zip. */
async function hashZip(bytes: Uint8Array): Promise<Record<string, string>> {
  const zip = await fromBufferPromise(Buffer.from(bytes));
  const hashes: Record<string, string> = {};
  for await (const entry of zip.eachEntry()) {
    const hash = createHash('sha256');
    for await (const piece of await zip.openReadStreamPromise(entry)) hash.update(piece as Uint8Array);
    hashes[entry.fileName] = hash.digest('hex');
  }
  return hashes;
}

describe('archives', () => {
  it('hold folders whole, with safe names, and are read by other programs', async () => {
    const random = randomBytes(3_000_000);
    await put('/zip/photos/one.bin', random);
    await put('/zip/photos/Ünï/é.txt', 'accents');
    await put('/zip/empty.txt', '');
    await put('/zip/bad:name?.txt', 'odd');
    await put('/zip/bad_name_.txt', 'other');
    const answer = await get(
      `/api/v1/archives?ids=${await idOf('/zip')},${await idOf('/zip/empty.txt')}&name=mine`,
    );
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-disposition')).toContain('filename="mine.zip"');
    const hash = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
    expect(await hashZip(answer.bytes)).toEqual({
      'zip/': hash(''),
      'zip/photos/': hash(''),
      'zip/photos/one.bin': hash(random),
      'zip/photos/Ünï/': hash(''),
      'zip/photos/Ünï/é.txt': hash('accents'),
      'zip/empty.txt': hash(''),
      'empty.txt': hash(''),
      'zip/bad_name_.txt': hash('odd'),
      'zip/bad_name_ (2).txt': hash('other'),
    });
  }, 60_000);

  it('are refused whole when one thing is not there', async () => {
    const unknown = 'a'.repeat(26);
    expect((await get(`/api/v1/archives?ids=${await idOf('/zip')},${unknown}`)).status).toBe(404);
    expect((await get('/api/v1/archives?ids=,')).status).toBe(400);
  });
});

describe('history', () => {
  it('names devices with versions and trash, and says when trash goes', async () => {
    const { entryId } = await put('/named/a.txt', '1');
    await put('/named/a.txt', '2');
    const { versions } = versionsResponseSchema.parse((await get(`/api/v1/files/${entryId}/versions`)).json);
    expect(versions.map(({ deviceName }) => deviceName)).toEqual(['Laptop', 'Laptop']);
    await server.ask('DELETE', `/api/v1/files/${entryId}`, { token });
    const trash = trashResponseSchema.parse((await get('/api/v1/trash')).json);
    const item = trash.items.find((one) => one.entryId === entryId);
    expect(item).toMatchObject({ deviceName: 'Laptop', expiresAt: (item?.trashedAt ?? 0) + 90 * 86_400_000 });
    expect(trash.retention).toEqual({ keep: 'days', days: 90 });
  });

  it('tells who did what, newest first', async () => {
    const { entryId } = await put('/activity/a.txt', '1');
    await put('/activity/a.txt', '2');
    await server.ask('PATCH', `/api/v1/files/${entryId}`, { token, json: { name: 'b.txt' } });
    await server.ask('PATCH', `/api/v1/files/${entryId}`, { token, json: { path: '/c.txt' } });
    await server.ask('DELETE', `/api/v1/files/${entryId}`, { token });
    await server.ask('POST', `/api/v1/trash/${entryId}/restore`, { token });
    const { items, next } = activityResponseSchema.parse((await get('/api/v1/activity?limit=6')).json);
    expect(items.map(({ kind, fromPath, entry }) => [kind, entry.name, fromPath])).toEqual([
      ['restored', 'c.txt', undefined],
      ['deleted', 'c.txt', undefined],
      ['moved', 'c.txt', '/activity/b.txt'],
      ['renamed', 'b.txt', '/activity/a.txt'],
      ['edited', 'a.txt', undefined],
      ['created', 'a.txt', undefined],
    ]);
    expect(
      items.every(
        ({ entry, username, deviceName }) =>
          entry.path === '/c.txt' && username === 'ann' && deviceName === 'Laptop',
      ),
    ).toBe(true);
    const older = activityResponseSchema.parse((await get(`/api/v1/activity?limit=1&before=${next}`)).json);
    expect(older.items[0]?.sequence).toBe((next ?? 0) - 1);
  });

  it('rewinds a folder, and undoes that', async () => {
    await put('/past/keep.txt', 'one');
    const gone = await put('/past/gone.txt', 'gone');
    const entryId = await idOf('/past');
    await new Promise((resolve) => setTimeout(resolve, 5));
    const at = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await put('/past/keep.txt', 'two');
    await put('/past/later.txt', 'later');
    await server.ask('DELETE', `/api/v1/files/${gone.entryId}`, { token });
    const look = rewindResponseSchema.parse((await get(`/api/v1/rewind?entryId=${entryId}&at=${at}`)).json);
    expect(look.items.map(({ path }) => path)).toEqual(['/past/gone.txt', '/past/keep.txt']);
    expect(look.complete).toBe(true);
    const old = look.items[1];
    expect((await get(`/api/v1/files/${old?.entryId}/content?versionId=${old?.versionId}`)).text).toBe('one');
    const preview = rewindPreviewResponseSchema.parse(
      (await get(`/api/v1/rewind/preview?entryId=${entryId}&at=${at}`)).json,
    );
    expect(preview.changes.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'restore /past/gone.txt',
      'revert /past/keep.txt',
      'remove /past/later.txt',
    ]);
    const rewind = async (instant: number) =>
      rewindDoneSchema.parse(
        (await server.ask('POST', '/api/v1/rewind', { token, json: { entryId, at: instant } })).json,
      );
    const names = async () =>
      (await get('/api/v1/files?path=/past')).json.children.map(({ name }: { name: string }) => name);
    const done = await rewind(at);
    expect(done.changed).toBe(3);
    expect(await names()).toEqual(['gone.txt', 'keep.txt']);
    await rewind(done.undoAt);
    expect(await names()).toEqual(['keep.txt', 'later.txt']);
    const early = await get(`/api/v1/rewind?entryId=${entryId}&at=1`);
    expect([early.status, early.json.code, typeof early.json.oldestAt]).toEqual([
      410,
      'horizon-passed',
      'number',
    ]);
  });
});

describe('copies', () => {
  it('are made of whole folders without storing anything twice', async () => {
    await put('/copy/from/a.txt', 'a');
    await put('/copy/from/deep/b.txt', 'b');
    await put('/copy/to/x', 'x');
    const entryId = await idOf('/copy/from');
    const json = { parentId: await idOf('/copy/to'), name: 'again' };
    const made = await server.ask('POST', `/api/v1/files/${entryId}/copy`, { token, json });
    expect([made.status, made.json.entry?.path]).toEqual([201, '/copy/to/again']);
    expect((await get(`/api/v1/files/${await idOf('/copy/to/again/deep/b.txt')}/content`)).text).toBe('b');
    const twice = await server.ask('POST', `/api/v1/files/${entryId}/copy`, { token, json });
    expect([twice.status, twice.json.code]).toEqual([409, 'already-exists']);
    // A folder can be copied into itself: what is copied is what was there before.
    const self = { parentId: entryId, name: 'self' };
    expect((await server.ask('POST', `/api/v1/files/${entryId}/copy`, { token, json: self })).status).toBe(
      201,
    );
    expect(await idOf('/copy/from/self/deep/b.txt')).toBeTruthy();
    const bob = await server.register('bob');
    const stranger = await server.ask('POST', `/api/v1/files/${entryId}/copy`, {
      token: bob.accessToken,
      json: { parentId: bob.rootId, name: 'stolen' },
    });
    const intoForeign = await server.ask('POST', `/api/v1/files/${entryId}/copy`, {
      token,
      json: { parentId: bob.rootId, name: 'given' },
    });
    expect([stranger.status, intoForeign.status]).toEqual([404, 404]);
  });
});

describe('figures', () => {
  it('say what the account holds, and how full the server was', async () => {
    const usage = accountUsageResponseSchema.parse((await get('/api/v1/usage')).json);
    expect(usage.files).toBeGreaterThan(10);
    expect(usage.liveBytes).toBeGreaterThan(3_000_000);
    expect(usage.quotaBytes).toBeNull();
    await expect
      .poll(
        async () =>
          capacityResponseSchema.parse((await get('/api/v1/admin/capacity?days=1')).json).samples.length,
        { timeout: 20_000 },
      )
      .toBe(1);
  }, 30_000);
});
