import { spawnSync } from 'node:child_process';

/** The first thing that looks like a version in what a program prints, `null` where it is not installed. */
export function findVersion(program: string, ...words: string[]): string | null {
  const { error, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8' });
  if (error !== undefined) return null;
  return parseVersion(`${stdout}\n${stderr}`);
}

export function parseVersion(text: string): string {
  return /\d+(\.\d+)+[\w.-]*/.exec(text)?.[0] ?? 'of unknown version';
}
