import { openBlock, parseManifestBlock } from '@cairn/content';
import { CairnError, type FileContent, type ManifestPart } from '@cairn/model';
import { readKnownBlocks } from '../blocks/read-blocks.ts';
import type { DataDependencies } from '../data-dependencies.ts';

/** Bytes `start` (inclusive) to `end` (exclusive). */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** @throws CairnError `range-wrong` */
export function checkRange(range: ByteRange, sizeBytes: number): ByteRange {
  const { start, end } = range;
  const valid = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end;
  if (!valid || end > sizeBytes || (start >= sizeBytes && sizeBytes > 0)) {
    throw new CairnError('range-wrong', `the file has ${sizeBytes} bytes; ask for a range within it`, {
      details: { sizeBytes },
    });
  }
  return range;
}

interface Placed {
  readonly part: ManifestPart;
  /** Where the part begins in the file. */
  readonly position: number;
}

function within(parts: readonly ManifestPart[], position: number, range: ByteRange): Placed[] {
  const placed: Placed[] = [];
  let at = position;
  for (const part of parts) {
    if (at >= range.end) break;
    if (at + part.sizeBytes > range.start) placed.push({ part, position: at });
    at += part.sizeBytes;
  }
  return placed;
}

async function* readParts(
  dependencies: DataDependencies,
  depth: number,
  parts: readonly ManifestPart[],
  position: number,
  range: ByteRange,
): AsyncGenerator<Uint8Array> {
  const wanted = within(parts, position, range);
  if (wanted.length === 0) return;
  const { platform, blocks } = dependencies;
  let index = 0;
  for await (const block of readKnownBlocks(
    blocks,
    wanted.map(({ part }) => part.block),
  )) {
    const { position: at } = wanted[index] as Placed;
    index += 1;
    const plain = openBlock(platform, block);
    if (depth > 0) {
      const below = parseManifestBlock(plain);
      yield* readParts(dependencies, below.depth, below.parts, at, range);
    } else {
      yield plain.subarray(Math.max(0, range.start - at), Math.min(plain.length, range.end - at));
    }
  }
}

/**
 * The bytes of a content, or of a range of it: reads only the manifest blocks and chunks that the range touches,
 * verifying each.
 */
export function readContent(
  dependencies: DataDependencies,
  content: FileContent,
  range: ByteRange = { start: 0, end: content.sizeBytes },
): AsyncIterable<Uint8Array> {
  const { depth, parts } = content.manifest;
  return readParts(dependencies, depth, parts, 0, range);
}
