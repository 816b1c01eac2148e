import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './testing/test-server.ts';

const PAGE = '<!doctype html><title>Cairn</title><script type="module" src="/assets/app-1a2b.js"></script>';
const SCRIPT = `export const text = ${JSON.stringify('stone '.repeat(1000))};\n`;

let server: TestServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-web-app-'));
  await mkdir(join(folder, 'dist', 'assets'), { recursive: true });
  const files: Record<string, string | Uint8Array> = {
    'secret.txt': 'beside the app, not of it',
    'dist/index.html': PAGE,
    'dist/manifest.webmanifest': '{"name":"Cairn"}',
    'dist/service-worker.js': 'self.addEventListener("fetch", () => undefined);',
    'dist/.hidden.js': 'hidden',
    'dist/assets/app-1a2b.js': SCRIPT,
    'dist/assets/app-1a2b.js.br': brotliCompressSync(SCRIPT),
    'dist/assets/app-1a2b.js.gz': gzipSync(SCRIPT),
    'dist/assets/app-3c4d.css': 'body{margin:0}',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  server = await startTestServer({ webApp: join(folder, 'dist') });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const navigate = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

interface Raw {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** As it is on the wire: no decompression, no change of the path. */
function askRaw(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Raw> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, path, headers, method }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) }),
      );
    });
    request.on('error', reject);
    request.end();
  });
}

describe('the page of the web app', () => {
  it.each(['/', '/?q=1', '/files/docs/report.pdf', '/trash', '/files/%C3%A4', '/rewind?at=1'])(
    '%s is the same page, asked for anew each time',
    async (path) => {
      const answer = await server.ask('GET', path, { headers: navigate });
      expect([answer.status, answer.text]).toEqual([200, PAGE]);
      expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(answer.headers.get('cache-control')).toBe('no-cache');
    },
  );

  it('has its own strict policy', async () => {
    const { headers } = await server.ask('GET', '/', { headers: navigate });
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe-inline|unsafe-eval'(?<!wasm-unsafe-eval')|\*|data:|https?:/);
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('is not what programs get for a wrong address', async () => {
    for (const [path, headers] of [
      ['/nothing', { accept: 'application/json' }],
      ['/nothing', {}],
      ['/api/v1/nothing', navigate],
      ['/api', navigate],
      ['/docs/nothing', navigate],
      ['/health/nothing', navigate],
      ['/assets/app-9z9z.js', navigate],
      ['/assets/', navigate],
      ['/assets', navigate],
    ] as const) {
      const answer = await askRaw(path, { ...headers });
      expect([path, answer.status]).toEqual([path, 404]);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json|^application\/json/);
      expect(answer.body.toString()).not.toContain('<script');
    }
    const posted = await server.ask('POST', '/files/x', { headers: navigate, json: {} });
    expect(posted.status).toBe(404);
  });
});

describe('the files of the web app', () => {
  it('are kept for ever when their name says what is in them', async () => {
    for (const path of ['/assets/app-1a2b.js', '/assets/app-3c4d.css']) {
      const answer = await askRaw(path);
      expect(answer.status).toBe(200);
      expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable');
      // Workers obey the policy that comes with their script.
      expect(answer.headers['content-security-policy']).toContain("connect-src 'self'");
    }
    expect((await askRaw('/assets/app-1a2b.js')).headers['content-type']).toMatch(/^application\/javascript/);
  });

  it('are asked for anew when their name stays', async () => {
    for (const [path, type] of [
      ['/service-worker.js', 'application/javascript'],
      ['/manifest.webmanifest', 'application/manifest+json'],
    ] as const) {
      const answer = await askRaw(path);
      expect(answer.status).toBe(200);
      expect(answer.headers['cache-control']).toBe('no-cache');
      expect(answer.headers['content-type']).toContain(type);
      const again = await askRaw(path, { 'if-none-match': String(answer.headers.etag) });
      expect(again.status).toBe(304);
    }
  });

  it('come compressed as they were when the app was built', async () => {
    const [brotli, gzip, plain] = await Promise.all([
      askRaw('/assets/app-1a2b.js', { 'accept-encoding': 'gzip, deflate, br' }),
      askRaw('/assets/app-1a2b.js', { 'accept-encoding': 'gzip' }),
      askRaw('/assets/app-1a2b.js'),
    ]);
    expect(brotli.headers['content-encoding']).toBe('br');
    expect(brotli.body.equals(brotliCompressSync(SCRIPT))).toBe(true);
    expect(brotli.headers.vary).toMatch(/accept-encoding/i);
    expect(gzip.headers['content-encoding']).toBe('gzip');
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.body.toString()).toBe(SCRIPT);
    expect(plain.headers.vary).toMatch(/accept-encoding/i);
    for (const answer of [brotli, gzip])
      expect(answer.headers['content-type']).toMatch(/^application\/javascript/);
  });

  it('have heads without bodies', async () => {
    const head = await askRaw('/assets/app-1a2b.js', {}, 'HEAD');
    expect([head.status, head.body.length]).toEqual([200, 0]);
    expect(head.headers['content-length']).toBe(String(SCRIPT.length));
  });

  it('are all that there is', async () => {
    for (const path of [
      '/../secret.txt',
      '/assets/../../secret.txt',
      '/assets/%2e%2e/%2e%2e/secret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/..%5csecret.txt',
      '/%2e%2e%2fsecret.txt',
      '/.hidden.js',
      '/assets/%00',
      '/secret.txt%00.js',
    ]) {
      const answer = await askRaw(path);
      expect([path, answer.status]).toEqual([path, 404]);
      expect(answer.body.toString()).not.toMatch(/beside the app|hidden/);
    }
  });
});

describe('reports about the policy', () => {
  const report = (type: string, body: unknown) =>
    server.ask('POST', '/api/v1/csp-reports', {
      headers: { 'content-type': type },
      body: JSON.stringify(body),
    });

  it('are written down in either form, without what could be private', async () => {
    const older = {
      'csp-report': {
        'document-uri': `${server.url}/files/private-name`,
        'effective-directive': 'img-src',
        'blocked-uri': 'https://evil.example/private-path?x=1',
      },
    };
    const newer = [
      {
        type: 'csp-violation',
        url: `${server.url}/files/private-name`,
        body: { effectiveDirective: 'style-src-elem', blockedURL: 'inline', sample: 'private' },
      },
    ];
    expect((await report('application/csp-report', older)).status).toBe(204);
    expect((await report('application/reports+json', newer)).status).toBe(204);
    const lines = server.logged.filter((line) => line.includes('web.policy-violated'));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('"directive":"img-src","blocked":"https://evil.example"');
    expect(lines[1]).toContain('"directive":"style-src-elem","blocked":"inline"');
    expect(lines.join('\n')).not.toContain('private');
  });

  it('cannot fill the log, the memory or the time of the server', async () => {
    const many = Array.from({ length: 100 }, () => ({
      type: 'csp-violation',
      body: { effectiveDirective: 'x', blockedURL: 'inline' },
    }));
    for (let turn = 0; turn < 5; turn++) await report('application/reports+json', many);
    expect(server.logged.filter((line) => line.includes('web.policy-violated')).length).toBeLessThan(40);
    const large = await report('application/csp-report', { 'csp-report': 'x'.repeat(20_000) });
    expect(large.status).toBe(413);
    expect((await report('text/plain', {})).status).toBe(415);
    expect((await report('application/csp-report', null)).status).toBe(204);
  });
});

describe('without a built app', () => {
  it('shows the plain page and how to build it', async () => {
    const bare = await startTestServer({ webApp: join(folder, 'not-built') });
    try {
      const answer = await bare.ask('GET', '/', { headers: navigate });
      expect(answer.status).toBe(200);
      expect(answer.text).toContain('npm run build:web');
      expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
      expect((await bare.ask('GET', '/trash', { headers: navigate })).status).toBe(404);
    } finally {
      await bare.close();
    }
  });
});
