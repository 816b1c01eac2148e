import { expect, test } from 'vitest';
import { gatherQuestions } from './gather-questions.ts';

test('what is asked at once or while an answer is on its way goes together, and everybody gets their own', async () => {
  const asked: number[][] = [];
  let answer = (): void => undefined;
  const ask = gatherQuestions<number, string>(async (questions) => {
    asked.push([...questions]);
    await new Promise<void>((resolve) => (answer = resolve));
    return questions.map((question) => `answer ${question}`);
  }, 3);
  const first = [ask(1), ask(2)];
  await Promise.resolve();
  await Promise.resolve();
  const later = [3, 4, 5, 6].map(ask);
  answer();
  expect(await Promise.all(first)).toEqual(['answer 1', 'answer 2']);
  answer();
  expect(await later[0]).toBe('answer 3');
  answer();
  expect(await later[3]).toBe('answer 6');
  expect(asked).toEqual([[1, 2], [3, 4, 5], [6]]);
});

test('a failure is that of those who were asked together, and of nobody else', async () => {
  let isBroken = true;
  const ask = gatherQuestions<number, number>(async (questions) => {
    if (isBroken) throw new Error('broken');
    return questions;
  }, 10);
  const results = await Promise.allSettled([ask(1), ask(2)]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  isBroken = false;
  expect(await ask(3)).toBe(3);
});
