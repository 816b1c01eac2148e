import { hash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { type Chunker, createChunker } from '@cairn/kernels';

export const PROFILE = 't32-256k';
let chunker: Chunker | undefined;

/** Reads a file straight into the chunker's memory and hands out its chunks. */
export function cutFile(path: string, take: (chunk: Uint8Array) => void): void {
  chunker ??= createChunker(PROFILE);
  chunker.reset();
  const file = openSync(path, 'r');
  try {
    for (let count = -1; count !== 0; ) {
      count = readSync(file, chunker.space());
      if (count === 0) chunker.end();
      else chunker.add(count);
      for (let chunk = chunker.next(); chunk !== null; chunk = chunker.next()) take(chunk);
    }
  } finally {
    closeSync(file);
  }
}

export function cutAndHashFile(path: string): void {
  cutFile(path, (chunk) => hash('sha256', chunk, 'buffer'));
}
