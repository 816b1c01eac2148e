import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { waitUntil } from './child-processes.ts';

const MODULE = new URL('./child-processes.ts', import.meta.url).href;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('a server ends when the process that started it is killed', async () => {
  const data = await mkdtemp(join(tmpdir(), 'cairn-child-'));
  const program = `
    const { createChildProcesses, startServerProcess } = await import(${JSON.stringify(MODULE)});
    const server = await startServerProcess(createChildProcesses(), ${JSON.stringify(data)});
    console.log('child ' + server.process.pid);
  `;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  parent.stdout.on('data', (piece: Buffer) => {
    output += String(piece);
  });
  const [, found] = await waitUntil(() => /child (\d+)/.exec(output) ?? undefined, 'the server to start', {
    timeoutMs: 60_000,
  });
  const pid = Number(found);
  try {
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await waitUntil(() => !isAlive(pid), 'the server to end', { timeoutMs: 60_000 });
  } finally {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    await rm(data, { recursive: true, force: true });
  }
}, 150_000);
