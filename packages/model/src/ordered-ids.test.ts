import { expect, test } from 'vitest';
import { createOrderedId, isRandomId } from './ids.ts';

test('ordered ids are random ids that begin alike when made at about the same time', () => {
  const random = (fill: number) => new Uint8Array(16).fill(fill);
  const at = 1_790_000_000_000;
  const [first, second, later] = [
    createOrderedId(at, random(0)),
    createOrderedId(at, random(255)),
    createOrderedId(at + 86_400_000, random(0)),
  ];
  for (const id of [first, second, later, createOrderedId(-5, random(1))]) expect(isRandomId(id)).toBe(true);
  expect(first.slice(0, 9)).toBe(second.slice(0, 9));
  expect(first.slice(10)).not.toBe(second.slice(10));
  expect(first.slice(0, 9)).not.toBe(later.slice(0, 9));
  const bytes = random(7);
  createOrderedId(at, bytes);
  expect(bytes).toEqual(random(7));
});
