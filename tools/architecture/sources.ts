import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

export interface ImportStatement {
  readonly specifier: string;
  readonly names: readonly string[];
  readonly line: number;
}

export interface SourceFile {
  /** Relative to the repository, `/` between names. */
  readonly path: string;
  /** The workspace it belongs to, such as `packages/model`. */
  readonly workspace: string;
  readonly isTest: boolean;
  readonly text: string;
  /** The text with comments and the insides of strings blanked, line by line as before. */
  readonly code: string;
  readonly imports: readonly ImportStatement[];
  readonly hasStarExport: boolean;
}

export interface Workspace {
  /** Such as `packages/model`. */
  readonly path: string;
  /** Such as `model`. */
  readonly room: string;
  readonly name: string;
  readonly exports: unknown;
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s+(?:type\s+)?((?:[\w*$\s{},]|\bas\b)*?)\s*from\s*['"]([^'"]+)['"]|\bimport\s*\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)\s*import\s+['"]([^'"]+)['"]/g;

/** Every workspace of the repository. */
export function readWorkspaces(root: string): Workspace[] {
  const found: Workspace[] = [];
  for (const group of ['packages', 'apps']) {
    for (const room of readdirSync(join(root, group))) {
      const path = `${group}/${room}`;
      if (statSync(join(root, path), { throwIfNoEntry: false })?.isDirectory() !== true) continue;
      found.push(readWorkspace(root, path, room));
    }
  }
  for (const room of ['bench', 'sim', 'tools']) found.push(readWorkspace(root, room, room));
  return found;
}

function readWorkspace(root: string, path: string, room: string): Workspace {
  const manifest = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'));
  return {
    path,
    room,
    name: manifest.name,
    exports: manifest.exports,
    dependencies: new Set(Object.keys(manifest.dependencies ?? {})),
    devDependencies: new Set(Object.keys(manifest.devDependencies ?? {})),
  };
}

/** Every TypeScript file of the workspaces, but generated and AssemblyScript ones. */
export function readSources(root: string, workspaces: readonly Workspace[]): SourceFile[] {
  const files: SourceFile[] = [];
  for (const workspace of workspaces) {
    for (const path of listFiles(join(root, workspace.path))) {
      files.push(
        parseSource(relative(root, path).split('\\').join('/'), workspace.path, readFileSync(path, 'utf8')),
      );
    }
  }
  return files;
}

function* listFiles(folder: string): Generator<string> {
  for (const item of readdirSync(folder, { withFileTypes: true })) {
    if (item.isDirectory()) {
      if (!['node_modules', 'dist', 'generated', 'assembly'].includes(item.name))
        yield* listFiles(join(folder, item.name));
    } else if (/\.tsx?$/.test(item.name)) {
      yield join(folder, item.name);
    }
  }
}

export function parseSource(path: string, workspace: string, text: string): SourceFile {
  const withoutComments = blankComments(text);
  const imports: ImportStatement[] = [];
  for (const match of withoutComments.matchAll(IMPORT)) {
    const specifier = match[2] ?? match[3] ?? match[4];
    if (specifier === undefined) continue;
    const names = (match[1] ?? '')
      .replace(/[{}]/g, ' ')
      .split(',')
      .map(
        (name) =>
          name
            .trim()
            .replace(/^type\s+/, '')
            .split(/\s+as\s+/)[0] ?? '',
      )
      .filter((name) => name !== '');
    imports.push({
      specifier,
      names,
      line: withoutComments.slice(0, (match.index ?? 0) + 1).split('\n').length,
    });
  }
  return {
    path,
    workspace,
    isTest:
      /\.test\.tsx?$|\/testing\/|\/contract[^/]*\.ts$|\/fixtures\/|\/build\.ts$|\/build\/|\/vite\.config\.ts$/.test(
        path,
      ),
    text,
    code: blankStrings(withoutComments),
    imports,
    hasStarExport: /(?:^|\n)\s*export\s+\*/.test(withoutComments),
  };
}

/** Replaces comments by spaces; strings that look like comments stay. */
function blankComments(text: string): string {
  return text.replace(
    /\/\*[\s\S]*?\*\/|(?<![:'"`\\])\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g,
    (found) => (found.startsWith('/') ? found.replace(/[^\n]/g, ' ') : found),
  );
}

function blankStrings(text: string): string {
  return text.replace(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g, (found) =>
    found.replace(/[^\n]/g, ' '),
  );
}
