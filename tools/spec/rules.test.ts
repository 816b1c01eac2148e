import { describe, expect, test } from 'vitest';
import { findCitations, findSpecProblems, parseSpecification } from './rules.ts';

// Put together, so that this file cites nothing itself.
const cite = (...numbers: number[]) => `[${numbers.map((number) => `S-${number}`).join(' ')}]`;

describe('the check of the specification', () => {
  test('reads the rules of a page, and numbers used twice', () => {
    const page = '# x\n- **S-1** One.\n  More, as S-9 says.\n- **S-2** Two.\n- **S-1** Again.\n';
    expect(parseSpecification(page)).toEqual({ rules: ['S-1', 'S-2'], doubles: ['S-1'] });
  });

  test('counts what titles cite, not comments and not tests that never run', () => {
    const text = [
      `test('a ${cite(1, 2)}', () => {`,
      `// ${cite(3)}`,
      ` * ${cite(4)}`,
      `it.skip('b ${cite(5)}')`,
    ].join('\n');
    expect(findCitations('a.test.ts', text).map(({ rule, line }) => `${rule}@${line}`)).toEqual([
      'S-1@1',
      'S-2@1',
    ]);
  });

  test('names rules without a test and citations without a rule', () => {
    const citations = findCitations('a.test.ts', `test('${cite(1, 7)}')`);
    expect(findSpecProblems({ rules: ['S-1', 'S-2'], doubles: [] }, citations)).toEqual([
      'S-2 has no test',
      'a.test.ts:1: there is no rule S-7',
    ]);
  });
});
