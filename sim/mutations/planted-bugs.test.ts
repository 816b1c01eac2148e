import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PLANTED_BUGS } from './planted-bugs.ts';
import { countPlaces } from './planted-copy.ts';

const root = join(import.meta.dirname, '..', '..');

test('there are bugs to plant in every part, under names of their own', () => {
  expect(PLANTED_BUGS.length).toBeGreaterThanOrEqual(36);
  expect(new Set(PLANTED_BUGS.map(({ name }) => name)).size).toBe(PLANTED_BUGS.length);
});

test.each(PLANTED_BUGS.map((bug) => [bug.name, bug] as const))('%s has its place', (_name, bug) => {
  expect(countPlaces(readFileSync(join(root, bug.file), 'utf8'), bug)).toBe(1);
});
