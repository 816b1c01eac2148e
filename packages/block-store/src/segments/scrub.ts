import type { StoredBlock } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import type { BlockId } from '@cairn/model';
import type { ScrubOptions, ScrubReport } from '../block-store.ts';
import type { BlockIndex } from './block-index.ts';
import type { BlockReading, Reading } from './block-reading.ts';
import type { IndexedBlock, KnownSegment } from './index-rows.ts';
import { createPace } from './pace.ts';
import { MAX_RECORD_BYTES, recordBytes } from './record-format.ts';
import { runsOf } from './record-runs.ts';
import { isDatabaseFull } from './sqlite.ts';

/**
 * A scrub reads what nobody asks for, so that rot is found while another copy still exists. It goes through the
 * segments in the order of the bytes on disk, those that were never looked at first, and notes each one when it is
 * done; an interrupted scrub thus goes on where it was.
 */
export interface Scrub {
  /** Throws what the index throws; what is wrong with a record is in the report. */
  run(options: ScrubOptions, signal: AbortSignal): Promise<ScrubReport>;
}

export interface ScrubParts {
  readonly index: BlockIndex;
  readonly reading: BlockReading;
  readonly environment: Environment;
  /** Whether a block whose record is intact is what its id says. */
  readonly verify: (block: StoredBlock) => boolean;
}

const PAGE_RECORDS = 1000;
/** Ids in a report; the count goes on. */
const MAX_REPORTED = 1000;

interface Progress {
  checkedBlocks: number;
  checkedBytes: number;
  readonly damaged: BlockId[];
  damagedCount: number;
  unreadable: number;
}

type Memories = readonly [Buffer, Buffer];
type Pace = (sizeBytes: number) => Promise<void>;

export function createScrub(parts: ScrubParts): Scrub {
  const { index, reading, environment } = parts;

  /** Never looked at first, the newest of them before others; then what was looked at longest ago. */
  function choose(olderThanMs: number | undefined): KnownSegment[] {
    const now = environment.clock.now();
    const isDue = ({ lastVerifiedAt }: KnownSegment) =>
      lastVerifiedAt === null ||
      olderThanMs === undefined ||
      lastVerifiedAt > now || // the clock was set back, so this time means nothing
      now - lastVerifiedAt >= olderThanMs;
    return index
      .segments()
      .filter((segment) => segment.liveBytes > 0 && isDue(segment))
      .sort((a, b) => (a.lastVerifiedAt ?? 0) - (b.lastVerifiedAt ?? 0) || b.number - a.number);
  }

  function* liveRuns(segment: KnownSegment): Generator<IndexedBlock[]> {
    for (let from = 0; ; ) {
      const page = index.placedIn(segment.number, from, PAGE_RECORDS);
      const last = page[page.length - 1];
      if (last === undefined) return;
      yield* runsOf(page.filter((block) => block.state === 'live' && block.offset < segment.durableBytes));
      from = last.offset + 1;
    }
  }

  /** The readings of each run, one run read ahead. */
  async function* readRuns(segment: KnownSegment, pace: Pace, memories: Memories): AsyncGenerator<Reading[]> {
    let ahead: Promise<Reading[]> | null = null;
    // Two by turns: fresh memory for each read costs more than the read.
    let [memory, other] = memories;
    for (const run of liveRuns(segment)) {
      const first = run[0] as IndexedBlock;
      const last = run[run.length - 1] as IndexedBlock;
      await pace(last.offset + recordBytes(last.storedBytes) - first.offset);
      const next = reading.read(run, memory);
      [memory, other] = [other, memory];
      // Whoever stops early must leave no rejection behind that nobody hears.
      next.catch(() => undefined);
      if (ahead !== null) yield await ahead;
      ahead = next;
    }
    if (ahead !== null) yield await ahead;
  }

  /** What is wrong with what was read, or `null`. */
  function problemOf({ result }: Reading): string | null {
    if (result === null) return null;
    if (result.problem !== null) return result.problem;
    return parts.verify(result.block) ? null : 'content';
  }

  /** Returns whether all that lives in the segment was read. */
  async function scrubOne(
    segment: KnownSegment,
    progress: Progress,
    pace: Pace,
    memories: Memories,
  ): Promise<boolean> {
    let isWhole = true;
    for await (const readings of readRuns(segment, pace, memories)) {
      for (const each of readings) {
        if (each.result === null) continue; // deleted meanwhile
        progress.checkedBlocks++;
        progress.checkedBytes += recordBytes(each.at.storedBytes);
        const problem = problemOf(each);
        if (problem === null) continue;
        reading.condemn(each.at, problem);
        progress.damagedCount++;
        if (progress.damaged.length < MAX_REPORTED) progress.damaged.push(each.at.blockId);
        if (problem === 'unreadable') progress.unreadable++;
        if (problem === 'segment-missing') isWhole = false;
      }
    }
    return isWhole;
  }

  function note(segment: KnownSegment, verifiedAt: number): void {
    try {
      index.transaction(() => index.setVerified(segment, verifiedAt));
    } catch (error) {
      // On a full disk the scrub is worth no less; it only will not be remembered.
      if (!isDatabaseFull(error)) throw error;
    }
  }

  return {
    async run(options, signal) {
      const startedMs = environment.clock.monotonicMs();
      const progress: Progress = {
        checkedBlocks: 0,
        checkedBytes: 0,
        damaged: [],
        damagedCount: 0,
        unreadable: 0,
      };
      const pace = createPace({ environment, bytesPerSecond: options.bytesPerSecond, signal });
      const memories: Memories = [
        Buffer.allocUnsafeSlow(MAX_RECORD_BYTES),
        Buffer.allocUnsafeSlow(MAX_RECORD_BYTES),
      ];
      let stoppedBy: ScrubReport['stoppedBy'] = null;
      try {
        for (const segment of choose(options.olderThanMs)) {
          await pace(0);
          const verifiedAt = environment.clock.now();
          if (await scrubOne(segment, progress, pace, memories)) note(segment, verifiedAt);
        }
      } catch (error) {
        if (!signal.aborted || error !== signal.reason) throw error;
        stoppedBy = 'aborted';
      }
      return { ...progress, stoppedBy, durationMs: environment.clock.monotonicMs() - startedMs };
    },
  };
}
