import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { ATTACK, watchForAttacks } from './testing/attacks.ts';
import { createWebWorld, poll } from './testing/web-world.ts';

const world = createWebWorld();

const SCRIPT = `<script>${ATTACK}</script>`;
const HTML = `<!doctype html><title>x</title>${SCRIPT}<img src=x onerror="${ATTACK}"><iframe srcdoc="<script>parent.hacked(1)</script>"></iframe>`;
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="${ATTACK}"><script>${ATTACK}</script><foreignObject width="9" height="9"><body xmlns="http://www.w3.org/1999/xhtml" onload="${ATTACK}"><img src="x" onerror="${ATTACK}"/></body></foreignObject></svg>`;
const MARKDOWN = [
  SCRIPT,
  `<img src=x onerror="${ATTACK}">`,
  '[script](javascript:hacked(1)) [data](data:text/html,<script>hacked(1)</script>) [vb](vbscript:hacked)',
  '[space]( java&#x09;script:hacked(1)) [file](file:///etc/passwd) [own](/api/v1/auth/logout)',
  '![far](https://evil.example/hacked.png) ![near](http://127.0.0.1:1/hacked.png) ![data](data:image/svg+xml,x)',
  '<javascript:hacked(1)> <https://example.org/"onmouseover="hacked(1)>',
  '```html\n<script>hacked(1)</script>\n```',
  `<details ontoggle="${ATTACK}" open><summary>x</summary></details>`,
  '[ref]: javascript:hacked(1)\n\n[by reference][ref]',
  '| a | b |\n|---|---|\n| <svg onload=hacked(1)> | `<b>` |',
  'The end.',
].join('\n\n');
/** A GIF by its first bytes, a script and a page by the rest. */
const POLYGLOT = `GIF89a/*${'\0'.repeat(4)}*/=1;${ATTACK};/*<html><body onload="${ATTACK}">${SCRIPT}*/`;
const PDF = [
  '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.launchURL\\("https://evil.example/hacked"\\))>>>>endobj',
  '2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>endobj',
  `trailer<</Root 1 0 R>>\n%%EOF\n${HTML}`,
].join('\n');

const FILES: Readonly<Record<string, string>> = {
  'page.html': HTML,
  'page.xhtml': HTML,
  'page.htm.txt': HTML,
  'drawing.svg': SVG,
  'drawing.svg.png': SVG,
  'feed.xml': `<?xml version="1.0"?><x xmlns:h="http://www.w3.org/1999/xhtml"><h:script>${ATTACK}</h:script></x>`,
  'code.js': ATTACK,
  'code.mjs': ATTACK,
  'sheet.css': '@import "https://evil.example/hacked.css"; body { background: url(/hacked.png) }',
  'notes.md': MARKDOWN,
  'polyglot.gif': POLYGLOT,
  'polyglot.png': POLYGLOT,
  'polyglot.jpg': HTML,
  'paper.pdf': PDF,
  'page.pdf': HTML,
  'film.mp4': HTML,
  'sound.mp3': SVG,
  noextension: HTML,
  'mail.mhtml': `MIME-Version: 1.0\nContent-Type: text/html\n\n${HTML}`,
  'manifest.webmanifest': '{"start_url":"https://evil.example/hacked"}',
};

async function openPreview(page: Page, entryId: string): Promise<void> {
  await page.goto(`/files?preview=${entryId}`);
  await page.getByRole('dialog').getByRole('heading').first().waitFor();
  // What is shown is there, or why it is not.
  await page
    .getByRole('dialog')
    .locator('img, iframe, video, audio, pre, section, [role=document], h3')
    .first()
    .waitFor();
}

test('nothing of any file runs in its preview, in the grid or beside the list', async () => {
  const { page, context, other, expectProblem } = await world.signUp();
  // Pictures and films that are none.
  expectProblem(/status of (404|415|422)|Failed to load resource/);
  const watch = await watchForAttacks(context, world.server.url, other);
  for (const [name, content] of Object.entries(FILES)) await other.put(`/${name}`, content);
  await page.goto('/');
  await page.getByRole('grid').getByText('code.js').waitFor();
  await page.getByRole('button', { name: 'Grid', exact: true }).click();
  await page.getByRole('grid').getByText('page.htm.txt').waitFor();
  await watch.expectNothing(page);
  for (const name of Object.keys(FILES)) {
    await openPreview(page, (await other.find(`/${name}`)).entryId);
    await watch.expectNothing(page);
  }
  const { entryId } = await other.find('/drawing.svg.png');
  await page.goto(`/files?details=${entryId}`);
  await page.getByRole('complementary').getByText('Versions').first().waitFor();
  await watch.expectNothing(page);
});

test('Markdown has no scripts, no foreign pictures, and only links that are harmless', async () => {
  const { page, context, other } = await world.signUp();
  const watch = await watchForAttacks(context, world.server.url, other);
  const { entryId } = await other.put('/notes.md', MARKDOWN);
  await openPreview(page, entryId);
  const shown = page.getByRole('document', { name: 'notes.md' });
  await shown.getByText('The end.').waitFor();
  const links = await shown
    .locator('a')
    .evaluateAll((all) => all.map((link) => [link.getAttribute('href'), link.getAttribute('rel')]));
  for (const [href, rel] of links) {
    expect(href).toMatch(/^(https?|mailto):/);
    expect(rel).toMatch(/noopener/);
  }
  expect(await shown.locator('img, script, iframe, details, svg[onload]').count()).toBe(0);
  await watch.expectNothing(page);
});

test('the address of a content, opened in a tab, runs nothing as the app', async () => {
  const { page, context, other, expectProblem } = await world.signUp();
  expectProblem(/Failed to load resource|Blocked script|sandboxed|from origin 'null' has been blocked/);
  const watch = await watchForAttacks(context, world.server.url, other);
  await page.goto('/');
  for (const [name, content] of Object.entries(FILES)) {
    const { entryId } = await other.put(`/${name}`, content);
    for (const query of ['', '?inline=1']) {
      const url = `/api/v1/files/${entryId}/content${query}`;
      const answer = await context.request.get(url);
      const headers = answer.headers();
      expect(headers['x-content-type-options'], name).toBe('nosniff');
      expect(headers['content-security-policy'], name).toContain("default-src 'none'");
      const isShown = headers['content-disposition']?.startsWith('inline') === true;
      expect(headers['content-type'], name).not.toMatch(/html|xml|svg|javascript|css/);
      if (!headers['content-type']?.startsWith('application/pdf')) {
        expect(headers['content-security-policy'], name).toContain('sandbox');
      }
      const tab = await context.newPage();
      const downloading = tab.waitForEvent('download').catch(() => null);
      // A download ends the navigation.
      const shown = await tab.goto(url).catch(() => null);
      if (shown === null) expect(await downloading, name).not.toBeNull();
      else {
        expect(isShown, name).toBe(true);
        // In a sandbox it has an origin of its own, which can read nothing of the app's.
        if (!name.endsWith('.pdf')) expect(await tab.evaluate(() => origin), name).toBe('null');
      }
      await tab.close();
    }
  }
  await watch.expectNothing(page);
});

test('the app loads no script, style or frame of what people store', async () => {
  const { page, other, expectProblem } = await world.signUp();
  const code = await other.put('/code.js', 'globalThis.taken = true');
  const text = await other.put('/code.js.txt', 'globalThis.taken = true');
  await other.put('/worker.js', 'globalThis.taken = true');
  await page.goto('/');
  await page.getByRole('grid').getByText('worker.js').waitFor();
  expectProblem(/Refused to execute script|MIME type|Failed to load/);
  for (const { entryId } of [code, text]) {
    for (const query of ['', '?inline=1']) {
      const outcome = await page.evaluate(
        (src) =>
          new Promise<string>((resolve) => {
            const script = document.createElement('script');
            script.src = src;
            script.onload = () => resolve('loaded');
            script.onerror = () => resolve('refused');
            document.head.append(script);
          }),
        `/api/v1/files/${entryId}/content${query}`,
      );
      expect(outcome).toBe('refused');
      const worker = await page.evaluate(
        (src) =>
          navigator.serviceWorker.register(src, { scope: '/api/v1/files/' }).then(
            () => 'registered',
            () => 'refused',
          ),
        `/api/v1/files/${entryId}/content${query}`,
      );
      expect(worker).toBe('refused');
    }
  }
  expect(await page.evaluate(() => 'taken' in globalThis)).toBe(false);
});

test('an archive of hostile names is a download with a harmless name', async () => {
  const { page, context, other } = await world.signUp();
  const watch = await watchForAttacks(context, world.server.url, other);
  const folder = await other.makeFolder('/"><img src=hacked onerror=hacked(1)>\r\nSet-Cookie: hacked=1');
  await other.put(`${folder.path}/..\\..\\evil.html`, HTML);
  const { headers } = await other.ask('GET', `/archives?ids=${folder.entryId}`);
  expect(headers.get('set-cookie')).toBeNull();
  expect(headers.get('content-disposition')).toMatch(/^attachment; filename="[^"\r\n]*"/);
  await page.goto('/');
  await page.getByRole('grid').getByText('onerror=hacked').first().waitFor();
  await page.getByRole('grid').focus();
  await page.keyboard.press('ArrowDown');
  const downloading = page.waitForEvent('download');
  await page.getByRole('toolbar').getByRole('button', { name: 'Download' }).click();
  await poll(async () => (await downloading).suggestedFilename()).toMatch(/\.zip$/);
  await watch.expectNothing(page);
});
