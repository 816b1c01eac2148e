import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findSpecProblems, parseSpecification, readCitations } from './rules.ts';

/** `npm run check:spec`: every rule of docs/spec has a test, and tests cite no others. `--list` prints which. */
const { values } = parseArgs({ options: { list: { type: 'boolean', default: false } } });
const root = join(import.meta.dirname, '..', '..');
const specification = parseSpecification(readFileSync(join(root, 'docs', 'spec', 'sync.md'), 'utf8'));
const folders = ['packages', 'apps', 'sim', 'bench'].filter((folder) => existsSync(join(root, folder)));
const citations = readCitations(root, folders);

if (values.list) {
  for (const rule of specification.rules) {
    const places = citations.filter((each) => each.rule === rule).map(({ path, line }) => `${path}:${line}`);
    console.log(`${rule}: ${places.join(', ') || '—'}`);
  }
}
const problems = findSpecProblems(specification, citations);
for (const problem of problems) console.error(problem);
console.log(
  `spec: ${specification.rules.length} rules, ${citations.length} citations, ${problems.length} problems`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
