import { describe, expect, it } from 'vitest';
import { createLogFlush } from './log-flush.ts';

function createDisk() {
  const flushes: PromiseWithResolvers<void>[] = [];
  const log = createLogFlush(() => {
    const flush = Promise.withResolvers<void>();
    flushes.push(flush);
    return flush.promise;
  });
  const settled: string[] = [];
  function commit(name: string): Promise<void> {
    log.noteCommit();
    return log.settle(log.mark()).then(
      () => void settled.push(name),
      (error: unknown) => void settled.push(`${name}: ${(error as Error).message}`),
    );
  }
  return { log, flushes, settled, commit };
}

describe('a flush for many commits', () => {
  it('is shared by those that came while another ran, and nobody is told before it is over', async () => {
    const { flushes, settled, commit } = createDisk();
    const first = commit('first');
    const others = ['second', 'third', 'fourth'].map(commit);
    expect(flushes).toHaveLength(1);
    flushes[0]?.resolve();
    await first;
    // The flush that ran may have begun before they were in the log.
    expect(settled).toEqual(['first']);
    expect(flushes).toHaveLength(2);
    flushes[1]?.resolve();
    await Promise.all(others);
    expect(settled).toEqual(['first', 'second', 'third', 'fourth']);
    expect(flushes).toHaveLength(2);
  });

  it('is not made for what is on the disk already', async () => {
    const { log, flushes, commit } = createDisk();
    await log.settle(log.mark());
    expect(flushes).toHaveLength(0);
    const committed = commit('one');
    flushes[0]?.resolve();
    await committed;
    await log.settle(log.mark());
    expect(flushes).toHaveLength(1);
  });

  it('that fails fails everybody after it, and is never tried again', async () => {
    const { log, flushes, settled, commit } = createDisk();
    const all = [commit('first'), commit('second')];
    flushes[0]?.reject(new Error('the disk is gone'));
    await Promise.all(all);
    await commit('third');
    await log.drain();
    expect(settled.sort()).toEqual(
      ['first', 'second', 'third'].map((name) => `${name}: the disk is gone`).sort(),
    );
    expect(flushes).toHaveLength(1);
  });
});
