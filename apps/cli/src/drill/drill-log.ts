import { CairnError } from '@cairn/model';
import type { DrillClaim, DrillKind, DrillReport } from '@cairn/protocol';
import { type CliContext, paint, print, remark } from '../context.ts';
import { formatTable } from '../output/table.ts';
import { count, showDuration, showMoment, showText } from '../output/text.ts';

/** Numbers of a claim; filled while it is being proven. */
export type Figures = Record<string, number>;

export interface DrillLog {
  /**
   * Sets out to prove something and tells how that goes. Whatever `work` throws leaves the claim unproven, and the drill
   * goes on; only an interruption ends it.
   * @param claim what must hold
   * @param done what is done to see whether it does
   */
  prove(id: string, claim: string, done: string, work: (figures: Figures) => Promise<void>): Promise<void>;
  /** What is going on between two claims. */
  tell(text: string): void;
  report(): DrillReport;
}

const MAX_TEXT = 2000;

/** A claim that does not hold, in words for people. */
export class NotProven extends CairnError {
  constructor(problem: string) {
    super('unavailable', problem);
  }
}

/** @throws NotProven unless it is so */
export function expectThat(isSo: boolean, problem: string): asserts isSo {
  if (!isSo) throw new NotProven(problem);
}

/** @param isQuiet progress goes to standard error, since the output is for programs */
export function createDrillLog(context: CliContext, kind: DrillKind, isQuiet: boolean): DrillLog {
  const startedAt = Date.now();
  const claims: DrillClaim[] = [];
  const tell = (text: string): void => {
    if (isQuiet) remark(context, text);
    else print(context, text);
  };
  return {
    tell,
    async prove(id, claim, done, work) {
      const begun = Date.now();
      const figures: Figures = {};
      tell(`… ${showText(claim)}: ${showText(done)}`);
      let problem: string | null = null;
      try {
        await work(figures);
      } catch (error) {
        context.signal.throwIfAborted();
        problem = (error instanceof Error ? error.message : String(error)).slice(0, MAX_TEXT);
      }
      const endedAt = Date.now();
      const result = problem === null ? 'proven' : 'unproven';
      claims.push({ id, claim, done, result, problem, startedAt: begun, endedAt, figures });
      const took = showDuration(endedAt - begun);
      if (problem === null) tell(`  ${paint(context, 'green', '✓')} ${describeFigures(figures, took)}`);
      else tell(`  ${paint(context, 'red', '✗')} not proven (${took}): ${showText(problem)}`);
    },
    report: () => ({ kind, startedAt, endedAt: Date.now(), claims: [...claims] }),
  };
}

/** `healMs` becomes `heal 3.2 s`, everything else a number with its name. */
function describeFigures(figures: Readonly<Figures>, took: string): string {
  const parts = Object.entries(figures).map(([name, value]) =>
    name.endsWith('Ms')
      ? `${name.slice(0, -2)} ${showDuration(value)}`
      : `${value.toLocaleString('en')} ${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`,
  );
  return [...parts, took].join(', ');
}

/** The report for a person: a table, and a last line that says it all. */
export function describeDrill(report: DrillReport): string[] {
  const rows = report.claims.map(({ claim, result, startedAt, endedAt, figures }) => [
    claim,
    result,
    showMoment(startedAt),
    describeFigures(figures, showDuration(endedAt - startedAt)),
  ]);
  const columns = [{ title: 'CLAIM' }, { title: 'RESULT' }, { title: 'STARTED' }, { title: 'FIGURES' }];
  const open = report.claims.filter(({ result }) => result === 'unproven');
  return [
    '',
    ...formatTable(columns, rows),
    '',
    ...open.map(({ claim, problem }) => `Not proven: ${claim}. ${showText(problem ?? '')}`),
    open.length === 0
      ? `All ${count(report.claims.length, 'claim')} proven in ${showDuration(report.endedAt - report.startedAt)}.`
      : `${count(open.length, 'claim')} of ${report.claims.length} not proven.`,
  ];
}
