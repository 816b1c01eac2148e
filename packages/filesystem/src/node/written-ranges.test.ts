import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createWrittenRanges } from './written-ranges.ts';

const SIZE = 60;
const range = fc
  .tuple(fc.integer({ min: 0, max: SIZE }), fc.integer({ min: 0, max: SIZE }))
  .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
const deed = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('add' as const), range }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), range }) },
);

it('knows every byte that was written, and no other', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: SIZE }),
      fc.array(deed, { maxLength: 30 }),
      range,
      (first, deeds, asked) => {
        const ranges = createWrittenRanges(first);
        const written = Array.from({ length: SIZE }, (_, index) => index < first);
        for (const {
          kind,
          range: [start, end],
        } of deeds) {
          if (kind === 'add') {
            ranges.add(start, end);
            written.fill(true, start, end);
          } else {
            ranges.cut(end);
            written.fill(false, end);
          }
        }
        const [start, end] = asked;
        expect(ranges.touches(start, end)).toBe(written.slice(start, end).some(Boolean));
      },
    ),
    { numRuns: 3000 },
  );
});

it('is bounded: too many ranges are one that has them all', () => {
  const ranges = createWrittenRanges(0);
  for (let index = 0; index <= 4096; index++) ranges.add(10 * index, 10 * index + 1);
  expect(ranges.touches(0, 1)).toBe(true);
  expect(ranges.touches(5, 9)).toBe(true);
  expect(ranges.touches(40_961, 50_000)).toBe(false);
});
