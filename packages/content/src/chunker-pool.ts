import { type Chunker, createChunker } from '@cairn/kernels';
import type { ChunkProfile } from '@cairn/model';

/** Idle chunkers kept: fresh memory costs more than the cutting itself, above all for small files. */
const MAX_IDLE: Readonly<Record<ChunkProfile, number>> = { 't32-64k': 4, 't32-256k': 2, 't32-1m': 1 };

const idle = new Map<ChunkProfile, Chunker[]>();

/** A chunker that nobody else uses, ready for a content. */
export function takeChunker(profile: ChunkProfile): Chunker {
  return idle.get(profile)?.pop() ?? createChunker(profile);
}

/**
 * Gives a chunker back. Only after a content was cut to its end: after an error a read may still be under way
 * and write into its memory.
 */
export function returnChunker(chunker: Chunker): void {
  const waiting = idle.get(chunker.profile) ?? [];
  if (waiting.length >= MAX_IDLE[chunker.profile]) return;
  chunker.reset();
  waiting.push(chunker);
  idle.set(chunker.profile, waiting);
}
