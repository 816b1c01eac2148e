import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { PlantedBug } from './planted-bug.ts';

/** A copy of the sources in which one bug at a time is planted; the installed libraries are shared. */
export interface PlantedCopy {
  readonly path: string;
  /** Throws when the bug's place is not found exactly once. */
  plant(bug: PlantedBug): void;
  /** Takes the planted bug out again. */
  restore(): void;
  remove(): void;
}

const SOURCES = ['bin', 'packages', 'apps', 'sim', 'bench', 'tools'];
const FILES = ['package.json', 'tsconfig.json', 'vitest.config.ts'];

/** How often the text that a bug replaces stands in a source. */
export function countPlaces(source: string, bug: Pick<PlantedBug, 'find'>): number {
  return source.split(bug.find).length - 1;
}

export function createPlantedCopy(root: string): PlantedCopy {
  const path = mkdtempSync(join(tmpdir(), 'cairn-planted-'));
  for (const folder of SOURCES)
    cpSync(join(root, folder), join(path, folder), {
      recursive: true,
      filter: (source) => !relative(root, source).includes('node_modules'),
    });
  for (const file of FILES) cpSync(join(root, file), join(path, file));
  const libraries = join(path, 'node_modules');
  mkdirSync(join(libraries, '@cairn'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== '@cairn') symlinkSync(join(root, 'node_modules', name), join(libraries, name));
  for (const name of readdirSync(join(root, 'node_modules', '@cairn'))) {
    const workspace = relative(realpathSync(root), realpathSync(join(root, 'node_modules', '@cairn', name)));
    symlinkSync(join(path, workspace), join(libraries, '@cairn', name));
  }

  let planted: { readonly file: string; readonly text: string } | null = null;
  function restore(): void {
    if (planted !== null) writeFileSync(planted.file, planted.text);
    planted = null;
  }
  return {
    path,
    plant(bug) {
      restore();
      const file = join(path, bug.file);
      const text = readFileSync(file, 'utf8');
      if (countPlaces(text, bug) !== 1)
        throw new Error(
          `the place of "${bug.name}" was not found once in ${bug.file}; bring the bug up to date`,
        );
      planted = { file, text };
      writeFileSync(
        file,
        text.replace(bug.find, () => bug.replace),
      );
    },
    restore,
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
