import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** A mention of a rule in a test's text, such as `[S-12]` or `[S-12 S-13]`. */
export interface Citation {
  readonly rule: string;
  /** Path of the file, relative to the root. */
  readonly path: string;
  /** Counted from 1. */
  readonly line: number;
}

export interface Specification {
  /** Rule numbers in the order of the page, such as `S-12`. */
  readonly rules: readonly string[];
  /** Numbers that stand there twice. */
  readonly doubles: readonly string[];
}

/** The numbered rules of a page: list items that begin with `**S-12**`. */
export function parseSpecification(text: string): Specification {
  const rules: string[] = [];
  const doubles: string[] = [];
  for (const [, rule] of text.matchAll(/^- \*\*(S-\d+)\*\* /gm)) {
    if (rule === undefined) continue;
    (rules.includes(rule) ? doubles : rules).push(rule);
  }
  return { rules, doubles };
}

/** Rules cited in one test file. Comments do not count, as nothing is run for them; nor do tests that never run. */
export function findCitations(path: string, text: string): Citation[] {
  const citations: Citation[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(\/\/|\*|\/\*)/.test(line) || /\b(?:it|test|describe)\.(?:skip|todo)\(/.test(line)) continue;
    for (const [, list] of line.matchAll(/\[(S-\d+(?:[ ,]+S-\d+)*)\]/g)) {
      for (const rule of (list ?? '').split(/[ ,]+/)) citations.push({ rule, path, line: index + 1 });
    }
  }
  return citations;
}

/** What is wrong between the page and the tests, one line each. */
export function findSpecProblems(specification: Specification, citations: readonly Citation[]): string[] {
  const cited = new Set(citations.map(({ rule }) => rule));
  const known = new Set(specification.rules);
  return [
    ...specification.doubles.map((rule) => `${rule} stands twice on the page`),
    ...specification.rules.filter((rule) => !cited.has(rule)).map((rule) => `${rule} has no test`),
    ...citations
      .filter(({ rule }) => !known.has(rule))
      .map(({ rule, path, line }) => `${path}:${line}: there is no rule ${rule}`),
  ];
}

const TEST_FILE = /(?:\.test|(?:^|\/)contract[^/]*|\.scenario|\.scenarios)\.ts$/;

/** Citations in all test files, contract suites and scenario files under the folders. */
export function readCitations(root: string, folders: readonly string[]): Citation[] {
  const citations: Citation[] = [];
  for (const folder of folders) {
    for (const item of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      const path = join(item.parentPath, item.name);
      const name = relative(root, path);
      if (!item.isFile() || name.includes('node_modules') || !TEST_FILE.test(name)) continue;
      citations.push(...findCitations(name, readFileSync(path, 'utf8')));
    }
  }
  return citations;
}
