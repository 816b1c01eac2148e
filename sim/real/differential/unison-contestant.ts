import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contestant } from './contestant.ts';

/** Unison between two folders, without questions: of two versions the newer keeps the name, the other gets a copy. */
export async function createUnisonContestant(): Promise<Contestant | null> {
  if (spawnSync('unison', ['-version']).error !== undefined) return null;
  const version = execFileSync('unison', ['-version'], { encoding: 'utf8' }).trim();
  const work = mkdtempSync(join(tmpdir(), 'cairn-unison-'));
  const folders = [join(work, 'one'), join(work, 'two')] as const;
  for (const folder of folders) mkdirSync(folder);
  const options = [
    '-batch',
    '-ui',
    'text',
    '-silent',
    '-confirmbigdel=false',
    '-copyonconflict',
    '-prefer',
    'newer',
  ];

  async function run(): Promise<number | null> {
    const child = spawn('unison', [...folders, ...options], {
      stdio: 'ignore',
      env: { ...process.env, UNISON: join(work, 'archives'), HOME: work },
    });
    const [code] = (await once(child, 'close')) as [number | null];
    return code;
  }
  return {
    name: version,
    folders,
    rest: async () => undefined,
    async sync() {
      // A second look where it left something out (1), such as what changed under it; 2 and more are failures.
      for (let tries = 0; tries < 4; tries++) if ((await run()) === 0) return;
    },
    findInHistory: async () => null,
    async close() {
      rmSync(work, { recursive: true, force: true });
    },
  };
}
