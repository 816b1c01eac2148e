import { describe, expect, it } from 'vitest';
import { createBatchMemories, joinAdjacent } from './batch-memory.ts';

const MIB = 1024 * 1024;

describe('memory of batches', () => {
  it('is given side by side, and used again only once it was given back', () => {
    const memories = createBatchMemories(4 * MIB);
    const first = memories.take(2 * MIB);
    const parts = [first.allocate(1000), first.allocate(3000), first.allocate(MIB)] as const;
    const joined = joinAdjacent(parts[0], parts[1]);
    expect(joined?.length).toBe(4000);
    expect(joinAdjacent(joined as Uint8Array, parts[2])?.length).toBe(4000 + MIB);
    expect(joinAdjacent(parts[0], parts[2])).toBeNull();
    expect(joinAdjacent(parts[1], parts[0])).toBeNull();
    const second = memories.take(2 * MIB);
    expect(second.allocate(10).buffer).not.toBe(parts[0].buffer);
    memories.give(first);
    const third = memories.take(4 * MIB).allocate(10);
    expect([third.buffer, third.byteOffset]).toEqual([parts[0].buffer, parts[0].byteOffset]);
  });

  it('is of its own where the rest does not suffice, and for little', () => {
    const memories = createBatchMemories(2 * MIB);
    const memory = memories.take(2 * MIB);
    const whole = memory.allocate(2 * MIB - 100);
    const beyond = memory.allocate(200);
    expect(beyond.buffer).not.toBe(whole.buffer);
    expect(beyond.buffer.byteLength).toBe(200);
    const inside = memory.allocate(50, 1);
    expect([inside.buffer, inside.length]).toEqual([whole.buffer, 51]);
    expect(joinAdjacent(whole, inside.subarray(0, 50))?.length).toBe(2 * MIB - 50);
    // The room counts no more.
    expect(joinAdjacent(inside.subarray(0, 50), memory.allocate(50, 1))?.length).toBe(101);
    expect(memories.take(1000).allocate(100).buffer.byteLength).toBe(100);
  });
});
