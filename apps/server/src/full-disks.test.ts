import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './testing/test-server.ts';

const MIB = 1024 * 1024;

/** A small disk of its own at the path, or why there can be none. */
function mountSmallDisk(path: string, sizeBytes: number): string | null {
  try {
    mkdirSync(path, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', path], { stdio: 'pipe' });
    return null;
  } catch (error) {
    return String((error as { stderr?: Buffer }).stderr ?? error).trim();
  }
}

async function fillUp(disk: string): Promise<void> {
  const { bavail, bsize } = await statfs(disk);
  await writeFile(join(disk, 'ballast'), new Uint8Array(bavail * bsize));
}

describe('a full or read-only disk', () => {
  let base: string;
  let disk: string;
  let reason: string | null;
  let server: TestServer | null = null;
  let token: string;
  beforeAll(() => {
    base = mkdtempSync(join(tmpdir(), 'cairn-full-server-'));
    disk = join(base, 'disk');
    reason = mountSmallDisk(disk, 32 * MIB);
    if (reason !== null) console.info(`full disks are not tested: ${reason}`);
  });
  afterEach(async () => {
    if (reason === null) execFileSync('mount', ['-o', 'remount,rw', disk]);
    await rm(join(disk, 'ballast'), { force: true });
    await server?.close();
    server = null;
    for (const name of ['data', 'blocks']) await rm(join(disk, name), { recursive: true, force: true });
  });
  afterAll(() => {
    if (reason === null) execFileSync('umount', ['-l', disk]);
    rmSync(base, { recursive: true, force: true });
  });

  async function start(options: Parameters<typeof startTestServer>[0]): Promise<TestServer> {
    server = await startTestServer(options);
    token = (await server.register('ann')).accessToken;
    return server;
  }
  const put = (name: string, body: Uint8Array) =>
    (server as TestServer).ask('PUT', `/api/v1/files/content?path=/${name}`, { token, body });
  const look = (name: string) => (server as TestServer).ask('GET', `/api/v1/files?path=/${name}`, { token });

  it.for(['data', 'blocks'])(
    'of the %s answers 507, keeps nothing of it, and goes on with space',
    async (what, { skip }) => {
      skip(reason !== null, reason ?? '');
      const path = join(disk, what);
      await start(what === 'data' ? { data: path, blocks: join(base, `blocks-${what}`) } : { blocks: path });
      const before = randomBytes(100_000);
      expect((await put('before', before)).status).toBe(200);
      await fillUp(disk);
      let kept = 0;
      for (let round = 0; ; round++) {
        expect(round).toBeLessThan(200);
        const answer = await put(`more-${round}`, randomBytes(200_000));
        if (answer.status === 200) {
          kept++;
          continue;
        }
        expect([answer.status, answer.json.code]).toEqual([507, 'storage-full']);
        expect(answer.text).not.toContain(disk);
        expect((await look(`more-${round}`)).status).toBe(404);
        break;
      }
      // What was there can be read, and what was acknowledged is there.
      const { entry } = (await look('before')).json;
      const read = await (server as TestServer).ask('GET', `/api/v1/files/${entry.entryId}/content`, {
        token,
      });
      expect(Buffer.compare(read.bytes, before)).toBe(0);
      for (let round = 0; round < kept; round++) expect((await look(`more-${round}`)).status).toBe(200);
      await rm(join(disk, 'ballast'));
      expect((await put('after', randomBytes(300_000))).status).toBe(200);
    },
  );

  it('is refused at the start when it is read-only, and used again later', async ({ skip }) => {
    skip(reason !== null, reason ?? '');
    const data = join(disk, 'data');
    await start({ data });
    expect((await put('before', randomBytes(1000))).status).toBe(200);
    await server?.running.stop();
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    await expect(startTestServer({ data })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('read-only'),
    });
    execFileSync('mount', ['-o', 'remount,rw', disk]);
    await server?.close();
    server = await startTestServer({ data });
    token = (await server.login('ann')).accessToken;
    expect((await look('before')).status).toBe(200);
  });
});
