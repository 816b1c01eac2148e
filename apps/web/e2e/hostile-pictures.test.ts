import { expect, test } from 'vitest';
import { createPng } from './testing/png.ts';
import { createWebWorld } from './testing/web-world.ts';

const world = createWebWorld();
const MIB = 1024 ** 2;
/** Far more than any of them needs, far less than a decoder that swells would take. */
const PATIENCE_MS = 30_000;

const good = createPng({ width: 64, height: 48 });
const svg =
  '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/><script>hacked(1)</script></svg>';
const exif = Buffer.from('ffd8ffe1fffe45786966000049492a0008000000ffff', 'hex');

const HOSTILE: Readonly<Record<string, Uint8Array>> = {
  'bomb that is what it says.png': createPng({ width: 30_000, height: 30_000 }),
  'bomb that says more than it has.png': createPng({
    width: 2 ** 31 - 1,
    height: 2 ** 31 - 1,
    rows: new Uint8Array(9),
  }),
  'long and thin.png': createPng({ width: 1, height: 200_000 }),
  'no pixels at all.png': createPng({ width: 0, height: 0, rows: new Uint8Array() }),
  'cut.png': good.subarray(0, good.length - 20),
  'header only.png': good.subarray(0, 33),
  'drawing.png': Buffer.from(svg),
  'drawing.jpg': Buffer.from(`<?xml version="1.0"?>${svg}`),
  'nothing.png': new Uint8Array(),
  'text.webp': Buffer.from('RIFF is what it says, WEBP it is not'),
  'canvas.gif': Buffer.concat([
    Buffer.from('GIF89affffffff800000', 'latin1'),
    Buffer.from('ffffffff', 'hex'),
  ]),
  'exif.jpg': exif,
  'loop.tiff': Buffer.from('49492a000800000001000001030001000000ffff000008000000', 'hex'),
  'program.avif': Buffer.concat([
    Buffer.from('0000001c66747970617669660000000061766966', 'hex'),
    new Uint8Array(MIB),
  ]),
};

test('pictures that are bombs, cut or none have a clear answer, and the server lives on', async () => {
  const { other } = await world.signUp();
  const before = (await (await fetch(`${world.server.url}/health`)).json()) as unknown;
  for (const [name, bytes] of Object.entries(HOSTILE)) {
    const { entryId } = await other.put(`/${name}`, bytes);
    for (const size of [256, 1024]) {
      const started = performance.now();
      const message = await other.ask('GET', `/files/${entryId}/thumbnail?size=${size}`).then(
        () => 'a picture',
        (error: Error) => error.message,
      );
      expect(message, name).toMatch(/: (4\d\d) .*"code":"no-preview"/);
      expect(performance.now() - started, name).toBeLessThan(PATIENCE_MS);
    }
  }
  const { entryId } = await other.put('/good.png', good);
  const answer = await other.ask('GET', `/files/${entryId}/thumbnail?size=256`);
  expect(answer.headers.get('content-type')).toBe('image/webp');
  expect(await (await fetch(`${world.server.url}/health`)).json()).toMatchObject(before as object);
});

test('a picture whose comment swells is shown or refused, and does not fill the memory', async () => {
  const { other } = await world.signUp();
  const png = createPng({ width: 64, height: 48, comment: new Uint8Array(512 * MIB) });
  expect(png.length).toBeLessThan(MIB);
  const { entryId } = await other.put('/comment.png', png);
  const outcome = await other.ask('GET', `/files/${entryId}/thumbnail?size=256`).then(
    (answer) => answer.headers.get('content-type'),
    (error: Error) => /"code":"([a-z-]+)"/.exec(error.message)?.[1],
  );
  expect(['image/webp', 'no-preview']).toContain(outcome);
  expect((await fetch(`${world.server.url}/health`)).status).toBe(200);
});

test('the grid shows icons for them, and the preview says why there is no picture', async () => {
  const { page, other, expectProblem } = await world.signUp();
  expectProblem(/Failed to load resource/);
  for (const [name, bytes] of Object.entries(HOSTILE)) await other.put(`/${name}`, bytes);
  await page.goto('/');
  await page.getByRole('button', { name: 'Grid', exact: true }).click();
  for (const name of Object.keys(HOSTILE))
    await page.getByTitle(name, { exact: true }).scrollIntoViewIfNeeded();
  for (const name of ['cut.png', 'drawing.png', 'text.webp', 'exif.jpg']) {
    const { entryId } = await other.find(`/${name}`);
    await page.goto(`/files?preview=${entryId}`);
    const dialog = page.getByRole('dialog', { name });
    // A browser may show the beginning of a picture that is cut.
    await dialog
      .getByRole('heading', { name: 'It cannot be shown' })
      .or(dialog.locator('img'))
      .first()
      .waitFor();
    if (name !== 'cut.png') await dialog.getByRole('heading', { name: 'It cannot be shown' }).waitFor();
  }
});
