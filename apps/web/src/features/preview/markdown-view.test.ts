import fc from 'fast-check';
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, test } from 'vitest';
import { MarkdownView } from './markdown-view.tsx';
import { safeAddress } from './safe-address.ts';

/** Every element and attribute that may come of a text, whatever is in it. */
const ELEMENTS = new Set(
  'div p h2 h3 h4 h5 h6 hr br blockquote pre code strong em del ul ol li table thead tbody tr th td a span input'.split(
    ' ',
  ),
);
const ATTRIBUTES = new Set([
  'class',
  'href',
  'target',
  'rel',
  'start',
  'type',
  'aria-label',
  'disabled',
  'checked',
  'readonly',
]);

interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/** React escapes all text, so what still looks like a tag is one. */
function elementsOf(markup: string): Element[] {
  return [...markup.matchAll(/<([a-z][a-z0-9-]*)((?:\s+[^\s"=<>]+(?:="[^"]*")?)*)\s*\/?>/gi)].map(
    ([, name = '', rest = '']) => ({
      name: name.toLowerCase(),
      attributes: new Map(
        [...rest.matchAll(/([^\s"=<>]+)(?:="([^"]*)")?/g)].map(([, key = '', value = '']) => [
          key.toLowerCase(),
          value,
        ]),
      ),
    }),
  );
}

function render(text: string): string {
  return renderToStaticMarkup(createElement(MarkdownView, { text }));
}

function expectHarmless(text: string): void {
  const markup = render(text);
  const elements = elementsOf(markup);
  // Nothing begins like a tag that was not understood above.
  expect(markup.match(/<[a-z!?]/gi)?.length ?? 0, markup).toBe(elements.length);
  for (const { name, attributes } of elements) {
    expect(ELEMENTS.has(name), `<${name}> of ${JSON.stringify(text)}`).toBe(true);
    for (const [key, value] of attributes) {
      expect(ATTRIBUTES.has(key), `${key} of ${JSON.stringify(text)}`).toBe(true);
      if (key === 'href') expect(value).toMatch(/^(https?:\/\/|mailto:)/);
      // The app's own words, never the file's.
      if (key === 'aria-label') expect(['Done', 'To do']).toContain(value);
      if (key === 'target') expect(attributes.get('rel')).toContain('noopener');
    }
  }
}

const VECTORS = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg/onload=alert(1)>',
  '<iframe src="javascript:alert(1)"></iframe>',
  '<a href="javascript:alert(1)">x</a>',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt:alert(1))',
  '[x](java\tscript:alert(1))',
  '[x](&#106;avascript:alert(1))',
  '[x](javascript&colon;alert(1))',
  '[x](\u0001javascript:alert(1))',
  '[x](data:text/html;base64,PHNjcmlwdD4=)',
  '[x](vbscript:msgbox)',
  '[x](//evil.example/x)',
  '[x](/api/v1/auth/logout)',
  '[x](blob:https://x/1)',
  '[x](file:///etc/passwd)',
  '![x](https://tracker.example/pixel.gif)',
  '![x](javascript:alert(1))',
  '![x"onerror="alert(1)](https://x.example/a)',
  '<javascript:alert(1)>',
  '<https://ok.example/"onmouseover="alert(1)>',
  '[x]: javascript:alert(1)\n\n[x]',
  '[x](https://ok.example "t" onclick=alert(1))',
  '``` html"onclick="alert(1)\n<b>\n```',
  '| a |\n|---|\n| <img src=x onerror=alert(1)> |',
  '- [x] <script>1</script>',
  '<style>*{display:none}</style>',
  '<base href="https://evil.example/">',
  '<meta http-equiv=refresh content="0;url=https://evil.example">',
  '<form action="/api/v1/auth/logout" method=post><button>',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '<!--><script>alert(1)</script>-->',
  '<![CDATA[<script>alert(1)</script>]]>',
  '\u202e<b>',
  '{{constructor.constructor("alert(1)")()}}',
  '__proto__',
  '[__proto__]: https://x.example\n[__proto__]',
];

describe('Markdown', () => {
  test.each(VECTORS)('%j is inert', (vector) => {
    expectHarmless(vector);
    expectHarmless(`> - **${vector}** _${vector}_ ~~${vector}~~`);
  });

  test('no mixture of such pieces makes an element or attribute that is not meant', () => {
    const piece = fc.oneof(
      fc.constantFrom(...VECTORS),
      fc.constantFrom(
        '**',
        '_',
        '`',
        '```\n',
        '> ',
        '- ',
        '\n',
        '\n\n',
        '[',
        '](',
        ')',
        '<',
        '>',
        '"',
        "'",
        '&',
        '#',
        '| ',
      ),
      fc.string({ maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => expectHarmless(pieces.join(''))),
      { numRuns: 400 },
    );
  });

  test('loads nothing: images become words', () => {
    const markup = render('![a cat](https://x.example/cat.png)');
    expect(markup).not.toContain('<img');
    expect(markup).toContain('Image: a cat');
  });

  test('shows what it is for', () => {
    const markup = render(
      '# Title\n\nSome *text* &amp; `code` with [a link](https://x.example/?a=1&b=2).\n\n1. one\n2. two\n\n- [ ] open\n\n| a | b |\n|---|--:|\n| 1 | 2 |',
    );
    expect(markup).toContain('Title</h2>');
    expect(markup).toContain('<em>text</em> &amp; <code');
    expect(markup).toContain('href="https://x.example/?a=1&amp;b=2"');
    expect(markup).toContain('<ol start="1"');
    expect(markup).toContain('type="checkbox"');
    expect(markup).toContain('text-right');
  });

  test('neither depth nor length is a way to hold up the page', () => {
    const startedAt = Date.now();
    for (const text of [
      '>'.repeat(5000),
      '- '.repeat(3000),
      '['.repeat(20_000),
      '*'.repeat(20_000),
      '`'.repeat(20_000),
    ]) {
      expectHarmless(text);
    }
    expect(Date.now() - startedAt).toBeLessThan(60_000);
  });
});

test('only whole addresses of the web and of mail are links', () => {
  expect(safeAddress('https://x.example/a b')).toBe('https://x.example/a%20b');
  expect(safeAddress('mailto:a@x.example')).toBe('mailto:a@x.example');
  for (const text of [
    '',
    '#x',
    'x.html',
    '/x',
    '//x.example',
    'javascript:1',
    ' javascript:1',
    'java\nscript:1',
    'data:,x',
  ]) {
    expect(safeAddress(text), text).toBeNull();
  }
});
