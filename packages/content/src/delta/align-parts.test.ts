import { createHash } from 'node:crypto';
import type { BlockId, ManifestPart } from '@cairn/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alignParts } from './align-parts.ts';

const MIB = 1024 * 1024;
const part = (name: string, sizeBytes = MIB): ManifestPart => ({
  block: `01${createHash('sha256').update(name).digest('hex')}` as BlockId,
  sizeBytes,
});
const parts = (names: string): ManifestPart[] => [...names].map((name) => part(name));

/** For each part of the new list: `null` for one of the older, else the letters of its bases. */
function align(
  older: string,
  newer: string,
  sizes: Readonly<Record<string, number>> = {},
): (string | null)[] {
  const sized = (names: string): ManifestPart[] => [...names].map((name) => part(name, sizes[name] ?? MIB));
  const names = new Map([...older].map((name) => [part(name).block, name]));
  const alignment = alignParts(sized(older));
  const found = sized(newer).map((each) => alignment.next(each));
  alignment.end();
  return found.map(
    (each) =>
      each
        ?.bases()
        .map(({ block }) => names.get(block))
        .join('') ?? null,
  );
}

describe('parts laid side by side', () => {
  it('find what was in the place of a new one', () => {
    expect(align('abcdef', 'aBcdEf')).toEqual([null, 'b', null, null, 'e', null]);
    expect(align('abc', 'Abc')).toEqual(['a', null, null]);
    expect(align('abc', 'abC')).toEqual([null, null, 'c']);
    expect(align('a', 'A')).toEqual(['a']);
  });

  it('find both halves of what was cut, and all of what was merged', () => {
    expect(align('abc', 'aXYc', { b: MIB, X: MIB / 2, Y: MIB / 2 })).toEqual([null, 'b', 'b', null]);
    expect(align('abcd', 'aXd', { X: 2 * MIB })).toEqual([null, 'bc', null]);
  });

  it('find what is at both ends of a hole, and both ends of what was put in between', () => {
    // Of b and g, what is left is one part.
    expect(align('abcdefgh', 'aXh')).toEqual([null, 'bg', null]);
    const put = align('abc', 'a12345678c');
    expect(put).toEqual([null, 'b', '', '', '', '', '', '', 'b', null]);
  });

  it('find nothing where nothing was', () => {
    expect(align('', 'XY')).toEqual(['', '']);
    expect(align('ab', 'aXb')).toEqual([null, '', null]);
  });

  it('are not misled by parts that are there twice; what was moved far to the front hides what is behind it', () => {
    expect(align('abcd', 'cabXd')).toEqual([null, null, null, '', null]);
    expect(align('zazbzc', 'zazBzc')).toEqual([null, null, null, 'b', null, null]);
  });

  it('know the front before they know what is behind', () => {
    const alignment = alignParts(parts('abcd'));
    alignment.next(part('a'));
    const found = alignment.next(part('X'));
    expect(found?.bases().map(({ position }) => position)).toEqual([MIB]);
  });

  it('name at most 4, in their order, each once, with its place in the file', () => {
    const names = fc.array(fc.record({ name: fc.nat(30), sizeBytes: fc.integer({ min: 1, max: 3 * MIB }) }), {
      maxLength: 60,
    });
    // A block has one size.
    const listOf = (shapes: readonly { name: number; sizeBytes: number }[], sizes: Map<number, number>) =>
      shapes.map(({ name, sizeBytes }) => {
        const size = sizes.get(name) ?? sizeBytes;
        sizes.set(name, size);
        return part(String(name), size);
      });
    fc.assert(
      fc.property(names, names, (older, newer) => {
        const sizes = new Map<number, number>();
        const base = listOf(older, sizes);
        const alignment = alignParts(base);
        const found = listOf(newer, sizes).map((each) => ({ each, place: alignment.next(each) }));
        alignment.end();
        const known = new Set(base.map(({ block }) => block));
        for (const { each, place } of found) {
          expect(place === null).toBe(known.has(each.block));
          const bases = place?.bases() ?? [];
          expect(bases.length).toBeLessThanOrEqual(4);
          expect(new Set(bases.map(({ block }) => block)).size).toBe(bases.length);
          const positions = bases.map(({ position }) => position);
          expect(positions).toEqual(positions.toSorted((left, right) => left - right));
          for (const { block, position } of bases) {
            let start = 0;
            const starts = base.map((one) => {
              start += one.sizeBytes;
              return { block: one.block, position: start - one.sizeBytes };
            });
            expect(starts).toContainEqual({ block, position });
          }
        }
      }),
    );
  });
});
