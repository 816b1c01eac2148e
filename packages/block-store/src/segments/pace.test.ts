import { createSimulatedEnvironment } from '@cairn/environment';
import { describe, expect, it } from 'vitest';
import { createPace } from './pace.ts';

async function measureMs(bytesPerSecond: number | undefined, pauseMs: number): Promise<number> {
  const environment = createSimulatedEnvironment({ seed: 1 });
  const { signal } = new AbortController();
  const pace = createPace({ environment, bytesPerSecond, signal });
  if (pauseMs > 0) await environment.advance(pauseMs);
  const startedMs = environment.clock.monotonicMs();
  let done = false;
  const work = (async () => {
    for (let piece = 0; piece < 11; piece++) await pace(1000);
    done = true;
  })();
  while (!done) {
    await new Promise((resolve) => setImmediate(resolve));
    if (!done) await environment.advance(environment.untilNextTimerMs() ?? 0);
  }
  await work;
  return environment.clock.monotonicMs() - startedMs;
}

describe('a pace', () => {
  it('lets each piece begin when those before it are paid for', async () => {
    expect(await measureMs(1000, 0)).toBe(10_000);
    expect(await measureMs(undefined, 0)).toBe(0);
  });

  it('makes up for a short wait and not for a long one', async () => {
    expect(await measureMs(1000, 60)).toBe(9940);
    expect(await measureMs(1000, 60_000)).toBe(9900);
  });

  it('ends with the reason of its signal', async () => {
    const environment = createSimulatedEnvironment({ seed: 1 });
    const abort = new AbortController();
    const pace = createPace({ environment, bytesPerSecond: 1, signal: abort.signal });
    await pace(1000);
    const waiting = pace(1000);
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(pace(0)).rejects.toBe(reason);
  });
});
