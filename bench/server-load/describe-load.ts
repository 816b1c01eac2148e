import { median, quantile } from '../world/statistics.ts';
import type { LoadOptions, LoadOutcome } from './run-load.ts';

const MIB = 1024 * 1024;

export interface LoadSummary {
  readonly commitsPerSecond: number;
  readonly commitMs: Spread;
  /** The block of the file, durable on the server. */
  readonly uploadMs: Spread;
  /** From the question of the commit, and from its answer, until another device hears of it. */
  readonly hintMs: Spread;
  readonly hintAfterAnswerMs: Spread;
  readonly hintsPerSecond: number;
  readonly followedPerSecond: number;
  readonly serverCpuMsPerCommit: number;
  readonly serverCores: number;
  readonly loadCores: number;
  readonly residentMib: {
    readonly start: number;
    readonly middle: number;
    readonly end: number;
    readonly most: number;
  };
  readonly errors: number;
}

export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

function spreadOf(numbers: readonly number[]): Spread {
  return {
    p50: median(numbers),
    p99: quantile(numbers, 0.99),
    most: numbers.reduce((most, number) => Math.max(most, number), 0),
  };
}

export function summariseLoad(outcome: LoadOutcome): LoadSummary {
  const { results, seconds, residentBytes } = outcome;
  const commitMs = results.flatMap((result) => result.commitMs);
  const sum = (of: (result: (typeof results)[number]) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  const fromQuestion: number[] = [];
  const fromAnswer: number[] = [];
  const commits = new Map<string, readonly [askedAt: number, answeredAt: number]>();
  for (const { spaces } of results) {
    for (const [spaceId, notes] of Object.entries(spaces)) {
      for (const [sequence, askedAt, answeredAt] of notes.commits) {
        commits.set(`${spaceId} ${sequence}`, [askedAt, answeredAt]);
      }
    }
  }
  for (const { spaces } of results) {
    for (const [spaceId, { hints }] of Object.entries(spaces)) {
      for (const [sequence, heardAt] of hints) {
        const commit = commits.get(`${spaceId} ${sequence}`);
        if (commit === undefined) continue;
        fromQuestion.push(heardAt - commit[0]);
        fromAnswer.push(heardAt - commit[1]);
      }
    }
  }
  const resident = residentBytes.map((bytes) => bytes / MIB);
  return {
    commitsPerSecond: commitMs.length / seconds,
    commitMs: spreadOf(commitMs),
    uploadMs: spreadOf(results.flatMap(({ uploadMs }) => uploadMs)),
    hintMs: spreadOf(fromQuestion),
    hintAfterAnswerMs: spreadOf(fromAnswer),
    hintsPerSecond: sum(({ hints }) => hints) / seconds,
    followedPerSecond: sum(({ followedChanges }) => followedChanges) / seconds,
    serverCpuMsPerCommit: (outcome.serverCpuSeconds * 1000) / commitMs.length,
    serverCores: outcome.serverCpuSeconds / seconds,
    loadCores: sum(({ cpuSeconds }) => cpuSeconds) / seconds,
    residentMib: {
      start: resident[0] ?? 0,
      middle: resident[resident.length >> 1] ?? 0,
      end: resident.at(-1) ?? 0,
      most: Math.max(...resident),
    },
    errors: outcome.errors.length,
  };
}

export function formatLoad(options: LoadOptions, summary: LoadSummary): string {
  const { residentMib: resident } = summary;
  const spread = ({ p50, p99, most }: Spread) =>
    `${p50.toFixed(1)} / ${p99.toFixed(1)} / ${most.toFixed(0)} ms`;
  return [
    `${options.committers} devices commit and ${options.followers} follow, ${options.accounts} account(s)`,
    `  commits                          ${summary.commitsPerSecond.toFixed(0)} /s`,
    `  commit, p50 / p99 / most         ${spread(summary.commitMs)}`,
    `  its block before, durable        ${spread(summary.uploadMs)}`,
    `  commit asked → hint elsewhere    ${spread(summary.hintMs)}`,
    `  commit answered → hint elsewhere ${spread(summary.hintAfterAnswerMs)}`,
    `  hints received, changes followed ${summary.hintsPerSecond.toFixed(0)} /s, ${summary.followedPerSecond.toFixed(0)} /s`,
    `  server CPU                       ${summary.serverCpuMsPerCommit.toFixed(2)} ms a commit, ${summary.serverCores.toFixed(2)} cores (load: ${summary.loadCores.toFixed(2)})`,
    `  server resident                  ${resident.start.toFixed(0)} → ${resident.middle.toFixed(0)} → ${resident.end.toFixed(0)} MiB, at most ${resident.most.toFixed(0)}`,
    `  errors                           ${summary.errors}`,
  ].join('\n');
}
