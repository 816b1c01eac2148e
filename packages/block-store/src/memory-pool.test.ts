import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMemoryPool, type MemoryLease } from './memory-pool.ts';

const KIB = 1024;

test('what one request has nobody else gets before it is released, and then it is used again', () => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('take' as const), of: fc.nat(5), kib: fc.nat(900) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const), of: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), of: fc.nat(5) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const pool = createMemoryPool({ chunkBytes: 512 * KIB, maxKept: 3 });
      const held: { lease: MemoryLease; parts: { bytes: Uint8Array; mark: number }[] }[] = [];
      const open = () => ({ lease: pool.lease(1024 * KIB), parts: [] });
      for (let index = 0; index < 6; index++) held.push(open());
      let mark = 0;
      for (const each of steps) {
        const holder = held[each.of] as (typeof held)[number];
        if (each.kind === 'take') {
          const bytes = holder.lease.take(each.kib * KIB);
          expect(bytes.length).toBe(each.kib * KIB);
          mark = (mark + 1) % 256;
          bytes.fill(mark);
          holder.parts.push({ bytes, mark });
        } else {
          if (each.kind === 'release') holder.lease.release();
          held[each.of] = open();
        }
        for (const { parts } of held)
          for (const part of parts) expect(part.bytes.every((byte) => byte === part.mark)).toBe(true);
      }
    }),
    { numRuns: 40 },
  );
});

test('memory is used again, but only so much is kept', () => {
  const pool = createMemoryPool({ chunkBytes: 1024 * KIB, maxKept: 2 });
  const leases = [1, 2, 3].map(() => pool.lease(1024 * KIB));
  const first = leases.map((lease) => lease.take(700 * KIB).buffer);
  expect(new Set(first).size).toBe(3);
  for (const lease of leases) lease.release();
  // Twice is once.
  for (const lease of leases) lease.release();
  const again = [1, 2, 3].map(() => pool.lease(1024 * KIB).take(700 * KIB).buffer);
  expect(again.filter((buffer) => first.includes(buffer))).toHaveLength(2);
  expect(new Set(again).size).toBe(3);
});

test('a few small blocks take no large piece', () => {
  const pool = createMemoryPool({ chunkBytes: 1024 * KIB, maxKept: 2 });
  expect(pool.lease(4 * KIB).take(4 * KIB).buffer.byteLength).toBe(4 * KIB);
  expect(pool.lease(4096 * KIB).take(3 * 1024 * KIB).buffer.byteLength).toBe(3 * 1024 * KIB);
});
