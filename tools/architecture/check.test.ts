import { describe, expect, test } from 'vitest';
import { findCycles, findProblems } from './check.ts';
import { parseSource, type Workspace } from './sources.ts';

const workspace = (path: string, dependencies: string[] = []): Workspace => ({
  path,
  room: path.split('/').at(-1) ?? path,
  name: `@cairn/${path.split('/').at(-1)}`,
  exports: { '.': './src/index.ts' },
  dependencies: new Set(dependencies),
  devDependencies: new Set(),
});
const workspaces = [
  workspace('packages/model'),
  workspace('packages/planner', ['@cairn/model', '@cairn/services', '@cairn/content']),
  workspace('packages/content', ['@cairn/model']),
  workspace('packages/services', ['@cairn/model', '@cairn/block-store']),
  workspace('packages/block-store', ['@cairn/model']),
];

function problemsOf(path: string, text: string): string[] {
  const [group, room] = path.split('/');
  return findProblems(workspaces, [parseSource(path, `${group}/${room}`, text)]);
}

describe('the architecture check', () => {
  test('accepts arrows that go down', () => {
    expect(problemsOf('packages/services/src/a.ts', "import type { X } from '@cairn/model';\n")).toEqual([]);
  });
  test('refuses arrows that go up, type imports included', () => {
    expect(problemsOf('packages/planner/src/a.ts', "import type { X } from '@cairn/services';\n")[0]).toMatch(
      /may not look up/,
    );
  });
  test('refuses arrows between rooms of one floor', () => {
    expect(problemsOf('packages/planner/src/a.ts', "import { x } from '@cairn/content';\n")[0]).toMatch(
      /one floor/,
    );
  });
  test('refuses what is not declared, dynamic imports included', () => {
    expect(problemsOf('packages/model/src/a.ts', "const z = await import('zod');\n")[0]).toMatch(
      /not declared/,
    );
  });
  test('refuses ways past the public file', () => {
    expect(
      problemsOf('packages/services/src/a.ts', "import { x } from '@cairn/model/src/ids.ts';\n")[0],
    ).toMatch(/public file/);
    expect(
      problemsOf('packages/services/src/a.ts', "import { x } from '../../model/src/ids.ts';\n")[0],
    ).toMatch(/by path/);
  });
  test('lets tests, and nothing else, use the suite of a port', () => {
    const text = "import { x } from '@cairn/block-store/contract';\n";
    expect(problemsOf('packages/services/src/a.test.ts', text)).toEqual([]);
    expect(problemsOf('packages/services/src/a.ts', text)[0]).toMatch(/public file/);
  });
  test('refuses adapters outside the apps', () => {
    const text = "import { openSegmentBlockStore } from '@cairn/block-store';\n";
    expect(problemsOf('packages/services/src/a.ts', text)[0]).toMatch(/only apps/);
  });
  test('refuses ambient time, but not in comments or strings', () => {
    expect(problemsOf('packages/model/src/a.ts', 'const at = Date.now();\n')[0]).toMatch(/ambient/);
    expect(problemsOf('packages/model/src/a.ts', "// Date.now()\nconst s = 'Date.now()';\n")).toEqual([]);
  });
  test('refuses star exports and vague names', () => {
    expect(problemsOf('packages/model/src/string-utils.ts', "export * from './ids.ts';\n").length).toBe(2);
  });
  test('finds cycles over type imports', () => {
    const files = [
      parseSource('packages/model/src/a.ts', 'packages/model', "import type { B } from './b.ts';\n"),
      parseSource('packages/model/src/b.ts', 'packages/model', "import type { C } from './c.ts';\n"),
      parseSource('packages/model/src/c.ts', 'packages/model', "import type { A } from './a.ts';\n"),
    ];
    expect(findCycles(files)).toHaveLength(1);
    expect(findCycles(files.slice(0, 2))).toEqual([]);
  });
});
