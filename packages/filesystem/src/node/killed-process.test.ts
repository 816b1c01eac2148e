import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemEnvironment } from '@cairn/environment';
import { describe, expect, it } from 'vitest';
import { openNodeFilesystem } from './node-filesystem.ts';

/** Replaces one file over and over; each content is one letter, 64 KiB of it. */
function placingProgram(root: string): string {
  return `
    const { openNodeFilesystem } = await import(${JSON.stringify(import.meta.resolve('./node-filesystem.ts'))});
    const { createSystemEnvironment } = await import(${JSON.stringify(import.meta.resolve('../../../environment/src/index.ts'))});
    const filesystem = await openNodeFilesystem({ root: ${JSON.stringify(root)}, environment: createSystemEnvironment() });
    for (let round = 0; ; round++) {
      const temporary = await filesystem.openTemporary('t');
      await temporary.truncate(0);
      await temporary.write(Buffer.alloc(65536, 97 + (round % 26)), 0);
      const current = await filesystem.status('file');
      await filesystem.place(temporary, 'file', current === null ? { absent: true } : current, {});
      if (round === 0) process.stdout.write('placing');
    }`;
}

describe('a process killed while it places files', () => {
  it('leaves old or new complete bytes at every moment, and everything displaced complete [S-4]', async () => {
    const root = mkdtempSync(join(tmpdir(), 'cairn-killed-'));
    try {
      let seen = 0;
      for (let run = 0; run < 6; run++) {
        const child = spawn(process.execPath, ['--input-type=module', '-e', placingProgram(root)], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const exited = once(child, 'exit');
        await once(child.stdout, 'data');
        const reads = 40 + run * 17;
        for (let read = 0; read < reads; read++) {
          assertComplete(join(root, 'file'));
          seen++;
          await new Promise((resolve) => setImmediate(resolve));
        }
        child.kill('SIGKILL');
        await exited;
        assertComplete(join(root, 'file'));
      }
      expect(seen).toBeGreaterThan(100);
      const rescue = join(root, '.cairn', 'rescue');
      expect(readdirSync(rescue).length).toBeGreaterThan(6);
      for (const name of readdirSync(rescue)) assertComplete(join(rescue, name));
      const filesystem = await openNodeFilesystem({ root, environment: createSystemEnvironment() });
      await (await filesystem.openTemporary('t')).discard();
      assertComplete(join(root, 'file'));
      await filesystem.close();
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});

function assertComplete(path: string): void {
  const bytes = readFileSync(path);
  if (bytes.length !== 65536 || !bytes.every((byte) => byte === bytes[0])) {
    throw new Error(`${path} has ${bytes.length} bytes from more than one version`);
  }
}
