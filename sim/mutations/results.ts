import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Detection } from './detect.ts';
import type { Detector, PlantedBug } from './planted-bug.ts';

/** What became of one planted bug. */
export interface Result {
  readonly name: string;
  /** Who noticed it; `null` when nobody did. */
  readonly noticed: Detection | null;
  /** Who was asked before and did not notice it, within how many runs. */
  readonly missedBy: readonly { readonly detector: Detector; readonly runs: number | null }[];
}

/** The results of an earlier run; none when there is no such file. */
export function readResults(file: string): Result[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Result[]) : [];
}

export function writeResults(file: string, results: readonly Result[]): void {
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
}

/** The results in the order of the bugs, without those of bugs that are no more; later ones count. */
export function inOrder(bugs: readonly PlantedBug[], results: readonly Result[]): Result[] {
  const byName = new Map(results.map((each) => [each.name, each]));
  return bugs.flatMap(({ name }) => byName.get(name) ?? []);
}

/** A table for people, in Markdown. */
export function showTable(bugs: readonly PlantedBug[], results: readonly Result[]): string {
  const harms = new Map(bugs.map(({ name, harm }) => [name, harm]));
  const rows = results.map(({ name, noticed, missedBy }) => {
    const missed = missedBy.map(({ detector, runs }) =>
      runs === null ? detector : `${detector} (${runs} runs)`,
    );
    const cells = [
      `\`${name}\``,
      harms.get(name) ?? '',
      noticed?.detector ?? '**nobody**',
      noticed?.runs ?? '',
      cell(noticed?.what ?? ''),
      missed.join(', '),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| planted bug | what would go wrong | noticed by | after runs | what was seen | asked before, in vain |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

const LONGEST_CELL = 110;

function cell(text: string): string {
  const plain = text.replaceAll('|', '/').replaceAll('<', '&lt;').replace(/\s+/g, ' ');
  return plain.length > LONGEST_CELL ? `${plain.slice(0, LONGEST_CELL - 1)}…` : plain;
}

/** The page `docs/spec/planted-bugs.md`. */
export function showPage(bugs: readonly PlantedBug[], results: readonly Result[]): string {
  const noticed = results.filter((each) => each.noticed !== null);
  const by = (detector: Detector) => noticed.filter((each) => each.noticed?.detector === detector).length;
  return `# Planted bugs

Proof that the tests would notice: each of these bugs is put into a copy of the sources, alone, and the tests that
should notice it are run. \`sim\` is the simulated world and \`cluster\` the simulated cluster (one run is one history, seeds
from 1 on); \`planner\` the planner's property tests (one run is one generated case); \`tests:…\` the tests of that folder.

Of ${results.length} bugs ${noticed.length} were noticed, ${by('sim')} of them by the simulated world, ${by('cluster')} by the simulated cluster.

${showTable(bugs, results)}

Made by \`npm run mutations -- --json FILE --markdown docs/spec/planted-bugs.md\`, and \`--continue\` for those that nobody had
noticed yet: the simulated world then goes on after the last seed, and the runs before count. A detector ends with the
first failure; numbers of runs vary a little, since several processes look at once. Where the number is missing, a single
test failed. **nobody** means: not within the runs that are named in the last column. The bugs are in \`sim/mutations/bugs/\`.
`;
}
