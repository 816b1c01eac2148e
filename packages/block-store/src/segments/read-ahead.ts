import type { StoredBlock } from '@cairn/content';
import type { BlockId } from '@cairn/model';
import type { ReadMemory } from '../block-store.ts';
import type { Reading } from './block-reading.ts';
import type { IndexedBlock } from './index-rows.ts';
import { recordBytes } from './record-format.ts';

export interface ReadAheadSource {
  /** `null` for an absent block; throws for one that is known to be damaged. */
  readonly find: (blockId: BlockId) => IndexedBlock | null;
  readonly read: (run: readonly IndexedBlock[], memory?: Buffer) => Promise<Reading[]>;
  /** The block of a reading, `null` when it went away meanwhile, or its error. */
  readonly take: (reading: Reading) => StoredBlock | null;
}

/** What lies near each other on disk is read together up to this size. */
const MAX_RUN_BYTES = 1024 * 1024;
/** What is read for nothing between two records; less than the cost of another read on any disk. */
const MAX_GAP_BYTES = 64 * 1024;
/** Payloads of one window, apart from a single larger record. Two windows are read or waiting to be taken. */
const WINDOW_BYTES = 4 * 1024 * 1024;
/** A window has few blocks at first, so that the first is there soon, then more: they are read in the disk's order. */
const FIRST_WINDOW_BLOCKS = 16;
const MAX_WINDOW_BLOCKS = 1024;

interface Run {
  readonly blocks: IndexedBlock[];
  /** Where the last record ends. */
  endOffset: number;
  usedBytes: number;
  /** What it is read into, if that is to be given back. */
  memory: Uint8Array | null;
  /** Blocks of it that are not taken yet. */
  left: number;
  results: Promise<Reading[]> | null;
}

/** One asked block: absent, failed already, or part of a run. */
type Place =
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'run'; readonly run: Run; readonly position: number };

/** Groups records into runs, each of one segment and in order of offset. */
function gather(
  wanted: readonly { readonly index: number; readonly block: IndexedBlock }[],
  places: Place[],
) {
  const runs: Run[] = [];
  const inOrder = [...wanted].sort(
    (a, b) => a.block.segment - b.block.segment || a.block.offset - b.block.offset,
  );
  let run: Run | null = null;
  for (const { index, block } of inOrder) {
    const endOffset = block.offset + recordBytes(block.storedBytes);
    const first = run?.blocks[0];
    const isNear =
      run !== null &&
      first !== undefined &&
      first.segment === block.segment &&
      block.offset - run.endOffset <= MAX_GAP_BYTES &&
      endOffset - first.offset <= MAX_RUN_BYTES;
    if (run === null || !isNear) {
      run = { blocks: [], endOffset: 0, usedBytes: 0, memory: null, left: 0, results: null };
      runs.push(run);
    }
    places[index] = { kind: 'run', run, position: run.blocks.length };
    run.blocks.push(block);
    run.left++;
    run.endOffset = endOffset;
    run.usedBytes += recordBytes(block.storedBytes);
  }
  return runs;
}

/**
 * The readings of a run. Small payloads must not keep a mostly useless piece of a segment in memory, least of all while
 * they wait for their turn: between far neighbours a window would hold many times its bytes.
 */
async function readRun(run: Run, source: ReadAheadSource, memory?: ReadMemory): Promise<Reading[]> {
  const { blocks, endOffset, usedBytes } = run;
  const spanBytes = endOffset - (blocks[0] as IndexedBlock).offset;
  run.memory = memory?.take(spanBytes) ?? null;
  const readings = await source.read(blocks, run.memory === null ? undefined : asBuffer(run.memory));
  if (usedBytes * 2 >= spanBytes) return readings;
  return readings.map((reading) => {
    const { result } = reading;
    if (result === null || result.block === null) return reading;
    const block = { ...result.block, payload: result.block.payload.slice() };
    return { ...reading, result: { ...result, block } };
  });
}

function giveBack(run: Run, memory: ReadMemory | undefined): void {
  run.left--;
  if (run.left > 0 || run.memory === null) return;
  memory?.give(run.memory);
  run.memory = null;
}

function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, length);
}

/**
 * Yields the blocks in the order asked, a bounded number of bytes ahead. Within a window they are read in the order of
 * the disk, neighbours together: each read costs more than the bytes of a small block.
 * @param memory as for `BlockStore.getMany`
 */
export async function* readAhead(
  blockIds: readonly BlockId[],
  source: ReadAheadSource,
  memory?: ReadMemory,
): AsyncGenerator<StoredBlock | null> {
  let next = 0;
  let windowBlocks = FIRST_WINDOW_BLOCKS;

  function begin(): Place[] {
    const places: Place[] = [];
    const wanted: { index: number; block: IndexedBlock }[] = [];
    let sizeBytes = 0;
    while (next < blockIds.length && places.length < windowBlocks && sizeBytes < WINDOW_BYTES) {
      try {
        const block = source.find(blockIds[next++] as BlockId);
        if (block !== null) {
          wanted.push({ index: places.length, block });
          sizeBytes += recordBytes(block.storedBytes);
        }
        places.push({ kind: 'absent' });
      } catch (error) {
        places.push({ kind: 'failed', error });
        // It ends with that, once what comes before is taken.
        next = blockIds.length;
      }
    }
    windowBlocks = Math.min(MAX_WINDOW_BLOCKS, windowBlocks * 2);
    for (const run of gather(wanted, places)) {
      run.results = readRun(run, source, memory);
      // A reader that stops early must leave no rejection behind that nobody hears.
      run.results.catch(() => undefined);
    }
    return places;
  }

  let following = begin();
  while (following.length > 0) {
    const places = following;
    following = begin();
    for (const place of places) {
      if (place.kind === 'failed') throw place.error;
      if (place.kind === 'absent') yield null;
      else {
        const readings = (await place.run.results) as Reading[];
        yield source.take(readings[place.position] as Reading);
        // Only when the next is asked for: then the one before is not looked at any more.
        giveBack(place.run, memory);
      }
    }
  }
}
