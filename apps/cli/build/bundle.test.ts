import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildBundle } from './bundle.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..', '..');

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cairn-bundle-'));
  const source = join(root, 'apps', 'cli', 'src');
  mkdirSync(source, { recursive: true });
  writeFileSync(join(root, 'apps', 'cli', 'package.json'), '{ "version": "1.0.0", "type": "module" }');
  writeFileSync(
    join(source, 'main.ts'),
    "import { word } from './word.ts';\nconsole.log(word satisfies string);\n",
  );
  writeFileSync(
    join(source, 'word.ts'),
    `import { readFileSync } from 'node:fs';
import { join } from 'node:path';
export const word: string = readFileSync(new URL('../word.txt', import.meta.url), 'utf8') + readFileSync(join(import.meta.dirname, 'word.txt'), 'utf8');
`,
  );
  writeFileSync(join(root, 'apps', 'cli', 'word.txt'), 'above ');
  writeFileSync(join(source, 'word.txt'), 'beside');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const bundleFolder = (): string => join(root, 'apps', 'cli', 'dist');
const sourceOf = (name: string): string => join(root, 'apps', 'cli', 'src', name);

async function choose(at = root): Promise<'bundle' | 'sources'> {
  const { findProgram } = await import(join(REPOSITORY, 'bin', 'find-program.js'));
  const { path, isBundle } = findProgram(at);
  const expected = isBundle ? ['dist', 'main.mjs'] : ['src', 'main.ts'];
  expect(path).toBe(join(at, 'apps', 'cli', ...expected));
  return isBundle ? 'bundle' : 'sources';
}

function run(path: string): string {
  return execFileSync(process.execPath, [path], { encoding: 'utf8' }).trim();
}

describe('what bin/cairn starts', () => {
  it('is the sources while there is no bundle', async () => {
    expect(await choose()).toBe('sources');
  });

  it('is the bundle of just these sources, which finds what lies beside them', async () => {
    const names = await buildBundle(root, bundleFolder());
    expect(names).toContain('main.mjs');
    expect(await choose()).toBe('bundle');
    expect(run(join(bundleFolder(), 'main.mjs'))).toBe('above beside');
    expect(run(sourceOf('main.ts'))).toBe('above beside');
  });

  it('is the sources once one was edited, also where its size or its time is as before', async () => {
    await buildBundle(root, bundleFolder());
    const manifest = JSON.parse(readFileSync(join(bundleFolder(), 'manifest.json'), 'utf8'));
    const [, , modifiedMs] = manifest.files.find(([path]: [string]) => path.endsWith('main.ts'));
    const text = readFileSync(sourceOf('main.ts'), 'utf8');
    writeFileSync(sourceOf('main.ts'), text.replace('console.log', 'console.err'));
    expect(await choose()).toBe('sources');
    writeFileSync(sourceOf('main.ts'), `${text}\n`);
    utimesSync(sourceOf('main.ts'), modifiedMs / 1000, modifiedMs / 1000);
    expect(await choose()).toBe('sources');
    writeFileSync(sourceOf('main.ts'), text);
    expect(await choose()).toBe('bundle');
  });

  it('is the sources after one went, or a package is of another version', async () => {
    await buildBundle(root, bundleFolder());
    writeFileSync(join(root, 'apps', 'cli', 'package.json'), '{ "version": "1.0.1", "type": "module" }');
    expect(await choose()).toBe('sources');
    await buildBundle(root, bundleFolder());
    expect(await choose()).toBe('bundle');
    rmSync(sourceOf('word.ts'));
    expect(await choose()).toBe('sources');
  });

  it('is the bundle in a copy, whose files have other times', async () => {
    await buildBundle(root, bundleFolder());
    const copy = `${root}-copy`;
    try {
      cpSync(root, copy, { recursive: true });
      utimesSync(join(copy, 'apps', 'cli', 'src', 'word.ts'), 1, 1);
      expect(await choose(copy)).toBe('bundle');
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });

  it.each([
    '',
    '{',
    'null',
    '{}',
    '{"format":2,"files":[]}',
    '{"format":1,"files":[]}',
    '{"format":1,"files":[1]}',
  ])('is the sources beside a manifest that says %j', async (text) => {
    mkdirSync(bundleFolder(), { recursive: true });
    writeFileSync(join(bundleFolder(), 'manifest.json'), text);
    expect(await choose()).toBe('sources');
  });

  it('is the sources after the bundle could not be made', async () => {
    await buildBundle(root, bundleFolder());
    writeFileSync(sourceOf('word.ts'), 'export const = ;');
    await expect(buildBundle(root, bundleFolder())).rejects.toThrow();
    expect(await choose()).toBe('sources');
  });

  it.each(['is empty', 'is gone', 'was changed'])(
    'is the sources once a file of the bundle %s',
    async (what) => {
      await buildBundle(root, bundleFolder());
      const program = join(bundleFolder(), 'main.mjs');
      if (what === 'is gone') rmSync(program);
      else
        writeFileSync(
          program,
          what === 'is empty' ? '' : readFileSync(program, 'utf8').replace('log', 'err'),
        );
      expect(await choose()).toBe('sources');
      expect(run(sourceOf('main.ts'))).toBe('above beside');
    },
  );

  it('leaves nothing in the folder of a bundle that is no part of it', async () => {
    mkdirSync(bundleFolder(), { recursive: true });
    writeFileSync(join(bundleFolder(), 'old-12345678.mjs'), '');
    const names = await buildBundle(root, bundleFolder());
    expect(names).not.toContain('old-12345678.mjs');
    expect(() => readFileSync(join(bundleFolder(), 'old-12345678.mjs'))).toThrow();
  });
});
