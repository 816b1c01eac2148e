import type { Tally } from './statistics.ts';

/** What a world worth its name meets. One of these never met in many runs means that the simulator is blind there. */
export const WANTED_STATES: readonly string[] = [
  'ambush',
  'brake-confirmed',
  'brake-rejected',
  'calm-act',
  'case-conflict-name',
  'clock-back',
  'clock-forward',
  'conflict-copy',
  'conflict-mark',
  'database-lost',
  'database-restored',
  'collision',
  'device-cloned',
  'disk-faults',
  'disk-full',
  'disk:displace',
  'disk:makeLink',
  'disk:move',
  'disk:place',
  'disk:place:local-changed',
  'disk:displace:local-changed',
  'disk:removeFolder',
  'disk:setAttributes',
  'disk:temporary-resumed',
  'disk:received-ahead',
  'ended:root-missing',
  'ended:session-revoked',
  'epoch-renewed',
  'kill',
  'kill:at-work',
  'leases-forgotten',
  'log:engine.full',
  'log:engine.not-durable',
  'log:follow.history-changed',
  'net:announced-copies',
  'net:announcement',
  'net:answer-broken',
  'net:answer-late',
  'net:answer-lost',
  'net:block-damaged',
  'net:commit-answer-lost',
  'net:half-open',
  'net:hint-late',
  'net:hint-lost',
  'net:request-lost',
  'net:request-twice',
  'net:stranger',
  'offline-for-a-year',
  'power-cut',
  'power-cut:at-work',
  'refused:blocks-missing',
  'refused:cycle',
  'refused:entry-exists',
  'refused:entry-missing',
  'refused:name-taken',
  'refused:parent-missing',
  'refused:stale-base',
  'save:slow',
  'save:replace',
  'save:vim',
  'save:backup',
  'save:removeAndWrite',
  'save:exchange',
  'save:inPlace',
  'single-writer',
  'server-killed-in-commit',
  'server-restored',
  'server-restored-unmarked',
  'server:commit-replayed',
  'state:held',
  'state:offline',
  'state:paused',
  'state:waiting',
  'unmounted',
  'watcher-blind',
];

/** Of these states, those that no run met. */
export function findBlindSpots(tally: Tally, wanted: readonly string[]): string[] {
  return wanted.filter((state) => !tally.states.has(state));
}

/** A table for people: every state, in how many of the runs, how often. */
export function showTally(tally: Tally): string {
  const rows = [...tally.states].sort(([, a], [, b]) => b.runs - a.runs);
  const width = Math.max(10, ...rows.map(([state]) => state.length));
  const lines = rows.map(
    ([state, { runs, times }]) =>
      `${state.padEnd(width)} ${String(runs).padStart(7)} ${((100 * runs) / tally.runs).toFixed(1).padStart(6)} % ${String(times).padStart(9)}`,
  );
  return [
    `${'state'.padEnd(width)} ${'runs'.padStart(7)} ${'share'.padStart(8)} ${'times'.padStart(9)}`,
    ...lines,
  ].join('\n');
}
