import type { Log } from '@cairn/environment';
import type { SyncStatus } from '@cairn/sync-engine';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { trimMemoryAtRest } from './trim-memory.ts';

const MIB = 1024 * 1024;
const REST_MS = 3_000;

describe('memory at rest', () => {
  let deeds: string[];
  let state: SyncStatus['state'];
  let residentBytes: number;
  let change: () => void;
  let stop: () => void;
  const log = { info: (event: string) => void deeds.push(event) } as Partial<Log> as Log;
  const engine = {
    onChange(listener: () => void) {
      change = listener;
      return () => {
        change = () => undefined;
      };
    },
    status: () => ({ state }) as SyncStatus,
    giveMemoryBack: () => void deeds.push('engine'),
  };
  const memory = {
    residentBytes: () => residentBytes,
    collect: () => void deeds.push('collect'),
    returnFreed() {
      deeds.push('return');
      residentBytes = 100 * MIB;
    },
  };
  const all = ['engine', 'collect', 'return', 'daemon.memory-given-back'];

  beforeEach(() => {
    vi.useFakeTimers();
    [deeds, state, residentBytes] = [[], 'in-sync', 200 * MIB];
    stop = trimMemoryAtRest(engine, memory, log);
  });
  afterEach(() => {
    stop();
    vi.useRealTimers();
  });

  it('is given back once nothing has changed for a while: by the engine, then the heap, then the C library', () => {
    change();
    vi.advanceTimersByTime(REST_MS - 1);
    change();
    vi.advanceTimersByTime(REST_MS - 1);
    expect(deeds).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(deeds).toEqual(all);
    vi.advanceTimersByTime(10 * REST_MS);
    expect(deeds).toEqual(all);
  });

  it('is not given back amid work, nor again before there is more of it', () => {
    state = 'syncing';
    change();
    vi.advanceTimersByTime(REST_MS);
    expect(deeds).toEqual([]);
    state = 'in-sync';
    change();
    vi.advanceTimersByTime(REST_MS);
    residentBytes += 15 * MIB;
    change();
    vi.advanceTimersByTime(REST_MS);
    expect(deeds).toEqual(all);
    residentBytes += MIB;
    change();
    vi.advanceTimersByTime(REST_MS);
    expect(deeds).toEqual([...all, ...all]);
  });

  it('is left alone after the end, and where it cannot be collected', () => {
    change();
    stop();
    vi.advanceTimersByTime(REST_MS);
    stop = trimMemoryAtRest(engine, null, log);
    change();
    vi.advanceTimersByTime(REST_MS);
    expect(deeds).toEqual([]);
  });
});
