import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BATCH_BYTES, createBatchBuffers } from './batch-buffers.ts';

describe('the memory of batches', () => {
  it('is bounded over all uploads, and none of them is left without', () => {
    const buffers = createBatchBuffers();
    const greedy = buffers.createShare();
    const taken: Uint8Array[] = [];
    for (let buffer = greedy.take(); buffer !== null; buffer = greedy.take()) taken.push(buffer);
    expect(taken.length).toBe(6);
    const late = buffers.createShare();
    const own = late.take();
    expect(own).not.toBeNull();
    expect(late.take()).toBeNull();
    for (const buffer of taken.slice(1)) greedy.give(buffer);
    const again = late.take();
    expect(taken).toContain(again);
  });

  it('grows with what is in it', () => {
    const share = createBatchBuffers().createShare();
    const small = share.take() as Uint8Array;
    small.fill(7);
    const large = share.enlarge(small);
    expect(large.length).toBe(BATCH_BYTES);
    expect(Buffer.compare(large.subarray(0, small.length), small)).toBe(0);
    // Its place is the same: no more of them than before.
    share.give(large);
    expect(share.take()).toBe(small);
    expect(share.enlarge(small) === large).toBe(true);
  });

  it('that is large is let go of when it is given back, and what a small file needs stays', () => {
    const buffers = createBatchBuffers();
    const share = buffers.createShare();
    const small = share.take() as Uint8Array;
    const large = share.enlarge(small);
    const scratches = [share.scratch(1000), share.scratch(1_000_000)] as const;
    share.give(large);
    buffers.giveMemoryBack();
    expect(share.take()).toBe(small);
    // As booleans: to tell what differs in megabytes takes long.
    expect(share.enlarge(small) === large).toBe(false);
    expect(share.scratch(1000) === scratches[0]).toBe(true);
    expect(share.scratch(1_000_000) === scratches[1]).toBe(false);
    expect(share.scratch(1_000_000).length).toBeGreaterThanOrEqual(1_000_000);
  });

  it('belongs to one at a time, whatever is taken, given, forgotten and given back', () => {
    const deeds = fc.array(
      fc.record({
        deed: fc.constantFrom('take', 'enlarge', 'give', 'forget', 'giveMemoryBack'),
        upload: fc.nat(2),
        which: fc.nat(),
      }),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(deeds, (steps) => {
        const buffers = createBatchBuffers();
        const uploads = [0, 1, 2].map(() => ({
          share: buffers.createShare(),
          held: new Map<Uint8Array, number>(),
        }));
        let mark = 0;
        for (const { deed, upload, which } of steps) {
          const { share, held } = uploads[upload] as (typeof uploads)[number];
          const [buffer, own] = [...held][which % Math.max(1, held.size)] ?? [];
          if (deed === 'giveMemoryBack') buffers.giveMemoryBack();
          if (deed === 'take') {
            const taken = share.take();
            // Nobody is left without.
            if (taken === null) expect(held.size).toBeGreaterThan(0);
            else held.set(taken.fill(++mark % 256), mark % 256);
          } else if (buffer !== undefined && own !== undefined && deed !== 'giveMemoryBack') {
            held.delete(buffer);
            if (deed === 'give') share.give(buffer);
            if (deed === 'forget') share.forget();
            if (deed === 'enlarge' && buffer.length === BATCH_BYTES) held.set(buffer, own);
            else if (deed === 'enlarge') held.set(share.enlarge(buffer), own);
          }
          const all = uploads.flatMap((each) => [...each.held]);
          expect(new Set(all.map(([bytes]) => bytes)).size).toBe(all.length);
          for (const [bytes, value] of all) expect([bytes[0], bytes[50_000]]).toEqual([value, value]);
        }
      }),
      { numRuns: 60 },
    );
  });
});
