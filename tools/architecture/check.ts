import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { ADAPTERS, AMBIENT, AMBIENT_ALLOWED, BESIDE, FLOORS, LONG_FILES, MAX_LINES } from './rooms.ts';
import type { SourceFile, Workspace } from './sources.ts';

const BUILT_IN = new Set([...builtinModules, ...builtinModules.map((name) => `node:${name}`)]);

/**
 * What breaks the architecture, one sentence each: arrows that go up or sideways, cycles of files (type imports
 * count), imports that are not declared, ways around a package's public file, adapters named outside the apps,
 * ambient time or chance, star exports, long files and vague names.
 */
export function findProblems(workspaces: readonly Workspace[], files: readonly SourceFile[]): string[] {
  return [
    ...workspaces.flatMap(checkWorkspace),
    ...files.flatMap((file) => checkFile(file, workspaces)),
    ...findCycles(files),
  ];
}

function floorOf(room: string): number {
  return FLOORS.findIndex((floor) => floor.includes(room));
}

function checkWorkspace(workspace: Workspace): string[] {
  const problems: string[] = [];
  if (!/^(packages|apps)\//.test(workspace.path)) return problems;
  if (floorOf(workspace.room) < 0)
    problems.push(`${workspace.path}: the room is on no floor; add it to tools/architecture/rooms.ts`);
  const {
    '.': publicFile,
    './contract': suite,
    './browser': browserFile,
    ...others
  } = (workspace.exports ?? {}) as Record<string, unknown>;
  // What is only bundled is imported by nobody.
  if (workspace.room === 'web' && workspace.exports === undefined) return problems;
  const isPlain =
    isPublicFile(publicFile) &&
    (suite === undefined || suite === './src/contract.ts') &&
    (browserFile === undefined || browserFile === './src/browser.ts');
  if (!isPlain || Object.keys(others).length > 0) {
    problems.push(
      `${workspace.path}/package.json: "exports" must name one public file, ./src/index.ts, and may name ./src/contract.ts and ./src/browser.ts`,
    );
  }
  return problems;
}

/** Either the one for everybody, or with another for what is bundled for browsers. */
function isPublicFile(value: unknown): boolean {
  if (value === './src/index.ts') return true;
  const { browser, default: other, ...more } = (value ?? {}) as Record<string, unknown>;
  return browser === './src/browser.ts' && other === './src/index.ts' && Object.keys(more).length === 0;
}

function checkFile(file: SourceFile, workspaces: readonly Workspace[]): string[] {
  const problems: string[] = [];
  const own = workspaces.find(({ path }) => path === file.workspace);
  if (own === undefined) return problems;
  const isApp = file.workspace.startsWith('apps/') || !file.workspace.startsWith('packages/');
  const at = (line: number) => `${file.path}:${line}`;

  for (const { specifier, names, line } of file.imports) {
    if (specifier.startsWith('.')) {
      const target = normalize(join(dirname(file.path), specifier));
      if (!target.startsWith(`${file.workspace}/`))
        problems.push(`${at(line)}: reaches into another package by path ("${specifier}")`);
      if (!/\.(ts|tsx|json|css)$/.test(specifier))
        problems.push(`${at(line)}: a relative import needs its file ending ("${specifier}")`);
      if (target === `${file.workspace}/src/index.ts` && !file.isTest) {
        problems.push(`${at(line)}: internal code imports its own public file; import where it is defined`);
      }
      continue;
    }
    if (BUILT_IN.has(specifier)) {
      if (!specifier.startsWith('node:')) problems.push(`${at(line)}: write "node:${specifier}"`);
      continue;
    }
    const packageName = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
    const isDeclared =
      own.dependencies.has(packageName) ||
      (file.isTest &&
        (own.devDependencies.has(packageName) || ['vitest', 'fast-check'].includes(packageName)));
    const isRootTool = ['bench', 'sim', 'tools'].includes(own.path);
    if (!isDeclared && !isRootTool)
      problems.push(`${at(line)}: "${packageName}" is not declared in ${own.path}/package.json`);
    const target = workspaces.find(({ name }) => name === packageName);
    if (target === undefined) continue;
    // The suite of a port is for tests of its adapters, wherever those live.
    const isSuite = specifier === `${packageName}/contract` && file.isTest;
    // The public file without what only Node has, for what is bundled for browsers.
    const isForBrowser = specifier === `${packageName}/browser` && own.room === 'web';
    if (specifier !== packageName && !isSuite && !isForBrowser)
      problems.push(`${at(line)}: "${specifier}" goes past the public file of ${packageName}`);
    if (isRootTool || file.isTest) continue;
    const from = floorOf(own.room);
    const to = floorOf(target.room);
    if (to > from) problems.push(`${at(line)}: ${own.room} may not look up to ${target.room}`);
    if (to === from && !(BESIDE[own.room] ?? []).includes(target.room)) {
      problems.push(
        `${at(line)}: ${own.room} and ${target.room} are on one floor and may not know each other`,
      );
    }
    if (!isApp) {
      for (const name of names) {
        if (ADAPTERS.includes(name)) problems.push(`${at(line)}: only apps may name the adapter ${name}`);
      }
    }
  }

  const name = file.path.split('/').at(-1) ?? '';
  if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.tsx?$/.test(name) && !/^vite(st)?\.config\.ts$/.test(name)) {
    problems.push(`${file.path}: file names are kebab-case`);
  }
  if (/(^|-)(utils?|helpers?|manager|impl|common|misc)(-|\.)/.test(name)) {
    problems.push(`${file.path}: name the file after what it has, not "${name}"`);
  }
  if (file.hasStarExport) problems.push(`${file.path}: star exports hide what is public; name each export`);
  const lines = file.text.split('\n').length;
  if (lines > MAX_LINES && LONG_FILES[file.path] === undefined && !file.isTest) {
    problems.push(`${file.path}: ${lines} lines; split it by reason to change (at most ${MAX_LINES})`);
  }
  if (!isApp && !file.isTest && !AMBIENT_ALLOWED.test(file.path) && !file.path.endsWith('/build.ts')) {
    for (const { name: ambient, pattern } of AMBIENT) {
      const found = pattern.exec(file.code);
      if (found !== null) {
        const line = file.code.slice(0, found.index + 1).split('\n').length;
        problems.push(`${at(line)}: ${ambient} is ambient; take it from the environment`);
      }
    }
  }
  return problems;
}

/** Cycles of files within the repository, each reported once (Tarjan's strongly connected components). */
export function findCycles(files: readonly SourceFile[]): string[] {
  const known = new Set(files.map(({ path }) => path));
  const arrows = new Map<string, string[]>();
  for (const file of files) {
    const targets = file.imports
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ specifier }) => normalize(join(dirname(file.path), specifier)))
      .filter((target) => known.has(target));
    arrows.set(file.path, targets);
  }
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const cycles: string[] = [];

  function visit(path: string): void {
    index.set(path, index.size);
    low.set(path, index.get(path) as number);
    stack.push(path);
    onStack.add(path);
    for (const target of arrows.get(path) ?? []) {
      if (!index.has(target)) {
        visit(target);
        low.set(path, Math.min(low.get(path) as number, low.get(target) as number));
      } else if (onStack.has(target)) {
        low.set(path, Math.min(low.get(path) as number, index.get(target) as number));
      }
    }
    if (low.get(path) !== index.get(path)) return;
    const component: string[] = [];
    for (let member = stack.pop(); member !== undefined; member = stack.pop()) {
      onStack.delete(member);
      component.push(member);
      if (member === path) break;
    }
    const first = component[0] as string;
    if (component.length > 1 || (arrows.get(first) ?? []).includes(first)) {
      cycles.push(`cycle of imports: ${component.sort().join(' ↔ ')}`);
    }
  }
  for (const { path } of files) if (!index.has(path)) visit(path);
  return cycles;
}
