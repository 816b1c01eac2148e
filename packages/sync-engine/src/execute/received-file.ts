import type { TemporaryFile } from '@cairn/filesystem';
import type { ReceivedChunks } from './received-chunks.ts';

/** A download's temporary with what was received before the file was committed. */
export interface ReceivedFile {
  readonly temporary: TemporaryFile;
  readonly chunks: ReceivedChunks;
  /** How long the temporary is at most: what is behind the last chunk is of no meaning. */
  readonly writtenBytes: number;
}
