import { join } from 'node:path';
import type { StoredBlock } from '@cairn/content';
import type { BlockId } from '@cairn/model';
import type { BlockIndex } from './block-index.ts';
import type { BlockReading } from './block-reading.ts';
import { RECORD_HEADER_BYTES, segmentFileName } from './record-format.ts';
import type { SegmentFiles } from './segment-files.ts';

export interface DamagePlace {
  readonly files: SegmentFiles;
  readonly index: BlockIndex;
  readonly reading: BlockReading;
  readonly segmentsDirectory: string;
  readonly segmentUuid: (segment: number) => string;
}

/**
 * Flips a bit in the payload of a block's record, as rot would, provided the block, read now, is one that may be damaged.
 * The index is not told: to find that out is the business of who reads.
 * @returns whether it was done; `false` for a block that is not there or may not be damaged
 * @throws CairnError `data-damaged` for a block that is damaged already
 */
export async function damageRecord(
  { files, index, reading, segmentsDirectory, segmentUuid }: DamagePlace,
  blockId: BlockId,
  mayDamage: (block: StoredBlock) => boolean,
): Promise<boolean> {
  const found = reading.find(blockId);
  if (found === null) return false;
  const [result] = await reading.read([found]);
  if (result === undefined) return false;
  const block = reading.take(result);
  const now = index.find(blockId);
  const { at } = result;
  // What was read is what is damaged: a record that was moved meanwhile is left alone.
  const isThere = now?.state === 'live' && now.segment === at.segment && now.offset === at.offset;
  if (block === null || block.payload.length === 0 || !isThere || !mayDamage(block)) return false;
  const file = await files.open(
    join(segmentsDirectory, segmentFileName(at.segment, segmentUuid(at.segment))),
    'append',
  );
  try {
    const byte = new Uint8Array(1);
    const position = at.offset + RECORD_HEADER_BYTES;
    await file.read(byte, position);
    byte[0] = (byte[0] as number) ^ 1;
    await file.write([byte], position);
    await file.datasync();
  } finally {
    await file.close();
  }
  return true;
}
