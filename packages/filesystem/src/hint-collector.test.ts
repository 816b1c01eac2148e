import { createSimulatedEnvironment } from '@cairn/environment';
import { beforeEach, expect, it } from 'vitest';
import type { WatchHint } from './filesystem.ts';
import { createHintCollector, type HintCollector } from './hint-collector.ts';

let environment: ReturnType<typeof createSimulatedEnvironment>;
let hints: WatchHint[];
let stirred: string[][];
let collector: HintCollector;

beforeEach(() => {
  environment = createSimulatedEnvironment({ seed: 1 });
  hints = [];
  stirred = [];
  collector = createHintCollector(environment, (hint) => hints.push(hint), {
    onStir: (paths) => stirred.push([...paths]),
  });
});

it('tells of the first changes after a quiet time early, and hints at them as ever', async () => {
  collector.folder('a');
  collector.folder('b');
  await environment.advance(5);
  expect([stirred, hints]).toEqual([[['a', 'b']], []]);
  await environment.advance(50);
  expect(hints).toEqual([
    { kind: 'folder', path: 'a' },
    { kind: 'folder', path: 'b' },
  ]);
});

it('tells of nothing early while changes keep coming', async () => {
  for (let index = 0; index < 20; index++) {
    collector.folder('a');
    await environment.advance(90);
  }
  expect(stirred).toEqual([['a']]);
  await environment.advance(1000);
  collector.folder('a');
  await environment.advance(100);
  expect(stirred).toEqual([['a'], ['a']]);
});

it('tells of nothing early where much changes, where anything may have, or after it was closed', async () => {
  for (let index = 0; index < 5; index++) collector.folder(`${index}`);
  await environment.advance(1000);
  collector.folder('a');
  collector.everything('a test');
  await environment.advance(1000);
  collector.folder('a');
  collector.close();
  await environment.advance(1000);
  expect(stirred).toEqual([]);
});
