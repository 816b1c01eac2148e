import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.ts';

/** What the text is by its definition: keys sorted, then as JSON writes it. */
function byDefinition(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(byDefinition).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${byDefinition(member)}`);
  return `{${members.join(',')}}`;
}

it('writes any JSON as its definition says', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4, noUnicodeString: false }), (value) => {
      expect(canonicalJson(value)).toBe(byDefinition(value));
    }),
    { numRuns: 200 },
  );
});

it('sorts few keys and many by code units, numbers among them, and leaves out what is undefined', () => {
  const many = Object.fromEntries(
    Array.from({ length: 200 }, (_, index) => [`k${(index * 7) % 200}`, index]),
  );
  expect(canonicalJson(many)).toBe(byDefinition(many));
  expect(canonicalJson({ b: undefined, '10': 1, '9': 2, é: [], z: {}, Z: null })).toBe(
    '{"10":1,"9":2,"Z":null,"z":{},"é":[]}',
  );
  expect(canonicalJson([])).toBe('[]');
  expect(canonicalJson(undefined)).toBe('null');
});
