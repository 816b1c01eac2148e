interface Waiting<Question, Answer> {
  readonly question: Question;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/**
 * Answers one question at a time for whoever asks, and asks many at once: what comes while an answer is on its way
 * goes together next. One who is alone waits for nobody.
 * @param ask answers in the same order
 * @param most questions at once
 */
export function gatherQuestions<Question, Answer>(
  ask: (questions: readonly Question[]) => Promise<readonly Answer[]>,
  most: number,
): (question: Question) => Promise<Answer> {
  const waiting: Waiting<Question, Answer>[] = [];
  let isAsking = false;

  async function run(): Promise<void> {
    // Those that are asked at this very moment come along.
    await Promise.resolve();
    while (waiting.length > 0) {
      const some = waiting.splice(0, most);
      try {
        const answers = await ask(some.map(({ question }) => question));
        for (const [place, { resolve }] of some.entries()) resolve(answers[place] as Answer);
      } catch (error) {
        for (const { reject } of some) reject(error);
      }
    }
    isAsking = false;
  }

  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      if (isAsking) return;
      isAsking = true;
      void run();
    });
}
