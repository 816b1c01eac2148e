import { emptyResult, mapRoles, type StepResult } from './measurement.ts';

/** A result of a step for tests of what is made of results. */
export function makeResult(parts: Partial<StepResult> = {}): StepResult {
  return emptyResult({
    peer: 'cairn',
    step: 'large',
    title: 'a new file of 1 GiB',
    run: 1,
    timeMs: 1000,
    restMs: 1100,
    dataBytes: 1024 ** 3,
    wire: { bothHopsBytes: 2e9, hops: null },
    cpuSeconds: mapRoles(() => 1),
    peakRssBytes: mapRoles(() => 100e6),
    ...parts,
  });
}
