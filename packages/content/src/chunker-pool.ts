import { type Chunker, createChunker } from '@cairn/kernels';
import type { ChunkProfile } from '@cairn/model';

/** Of small files. */
const SMALL_PROFILE: ChunkProfile = 't32-64k';
/** Idle chunkers kept: fresh memory costs more than the cutting itself, above all for small files. */
const MAX_IDLE: Readonly<Record<ChunkProfile, number>> = { 't32-64k': 4, 't32-256k': 2, 't32-1m': 1 };

/** By whether their memory is shared. */
const idle = { own: new Map<ChunkProfile, Chunker[]>(), shared: new Map<ChunkProfile, Chunker[]>() };

/**
 * A chunker that nobody else uses, ready for a content.
 * @param shared its chunks are in memory that other threads can see
 */
export function takeChunker(profile: ChunkProfile, shared: boolean): Chunker {
  return idle[shared ? 'shared' : 'own'].get(profile)?.pop() ?? createChunker(profile, { shared });
}

/**
 * Gives a chunker back. Only after a content was cut to its end: after an error a read may still be under way
 * and write into its memory.
 */
export function returnChunker(chunker: Chunker, shared: boolean): void {
  const kept = idle[shared ? 'shared' : 'own'];
  const waiting = kept.get(chunker.profile) ?? [];
  if (waiting.length >= MAX_IDLE[chunker.profile]) return;
  chunker.reset();
  waiting.push(chunker);
  kept.set(chunker.profile, waiting);
}

/**
 * Lets go of the idle chunkers. One for the next small file is made: until it is used, its memory is only promised, and to make
 * it takes that file's time no more.
 */
export function forgetIdleChunkers(): void {
  const hadSmall = idle.own.has(SMALL_PROFILE);
  idle.own.clear();
  idle.shared.clear();
  if (hadSmall) returnChunker(createChunker(SMALL_PROFILE), false);
}
