import type { StepResult } from '../measurement.ts';
import { drawPlots } from './plots.ts';
import { type Summary, summarise } from './summary.ts';
import { formatMarkdown, formatText, tabulate, tabulateTargets } from './table.ts';
import { areSizesFull, judgeTargets, type Target } from './targets.ts';

/** What a run writes with --json. */
export interface BenchRecord {
  readonly machine: string;
  /** When it ended, ISO 8601. */
  readonly endedAt: string;
  /** Where the folders were. */
  readonly where: string;
  readonly wire: string;
  /** The programs by name: version and how they were set up. */
  readonly peers: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly results: readonly StepResult[];
}

export interface Report {
  readonly summaries: readonly Summary[];
  readonly targets: readonly Target[];
  readonly text: string;
  readonly markdown: string;
  /** SVG by file name. */
  readonly plots: ReadonlyMap<string, string>;
}

const PLOT_WORDS: Readonly<Record<string, string>> = {
  'targets.svg': 'Each target as a share of what is allowed; left of 1 is met',
  'times.svg': 'Times of each step for each peer and floor',
  'latency.svg': 'Samples of the latency of a small change for each peer',
  'wire.svg': 'Bytes on the wire of each step for each peer',
  'cpu.svg': 'CPU seconds of each step for each peer',
};

/** @param plotFolder where the plots are, seen from the Markdown */
export function makeReport(record: BenchRecord, plotFolder: string): Report {
  const summaries = summarise(record.results);
  const targets = judgeTargets(summaries);
  const steps = tabulate(summaries);
  const plots = drawPlots(summaries, targets);
  const runs = new Set(record.results.map(({ run }) => run)).size;
  const facts = [
    `${record.machine}; ${record.endedAt.slice(0, 10)}; ${runs} ${runs === 1 ? 'run' : 'runs'}; median (min–max).`,
    `Folders: ${record.where}.`,
    `Wire: ${record.wire}.`,
  ];
  if (!areSizesFull(record.options)) facts.push('The sizes are not those that the targets are about.');
  const goal = tabulateTargets(targets);
  const met = targets.filter(({ share }) => share !== null && share <= 1).length;
  const judged = targets.filter(({ share }) => share !== null).length;
  const text = [
    facts.join('\n'),
    ...steps.map(({ title, table, notes }) =>
      [title, formatText(table), ...notes.map((note) => `  ${note}`)].join('\n'),
    ),
    ...(targets.length === 0 ? [] : [`Targets: ${met} of ${judged} met\n${formatText(goal)}`]),
  ].join('\n\n');
  const show = (name: string) => (plots.has(name) ? [`![${PLOT_WORDS[name]}](${plotFolder}/${name})`] : []);
  const markdown = [
    facts.join(' '),
    'Programs:',
    Object.entries(record.peers)
      .map(([name, words]) => `- ${name} ${words}`)
      .join('\n'),
    ...(targets.length === 0 ? [] : [`### Targets: ${met} of ${judged} met`, formatMarkdown(goal)]),
    ...show('targets.svg'),
    '### Each step',
    ...steps.flatMap(({ title, table, notes }) => [
      `**${title}**`,
      formatMarkdown(table),
      ...(notes.length === 0 ? [] : [notes.map((note) => `- ${note.replaceAll('\n', ' ')}`).join('\n')]),
    ]),
    '### Plots',
    ...['times.svg', 'latency.svg', 'wire.svg', 'cpu.svg'].flatMap(show),
  ].join('\n\n');
  return { summaries, targets, text, markdown, plots };
}

/** Several records as one: runs of later ones are counted on, so that only what ran together is compared. */
export function mergeRecords(records: readonly BenchRecord[]): BenchRecord {
  const [first] = records;
  if (first === undefined) throw new RangeError('nothing to merge');
  let before = 0;
  const results = records.flatMap((record) => {
    const shifted = record.results.map((result) => ({ ...result, run: result.run + before }));
    before = Math.max(before, ...shifted.map(({ run }) => run));
    return shifted;
  });
  const latest = records.reduce((left, right) => (right.endedAt > left.endedAt ? right : left));
  return { ...latest, results, peers: Object.assign({}, ...records.map(({ peers }) => peers)) };
}
