import { join } from 'node:path';
import { isFullError, isMissingError, type SegmentFiles } from './segment-files.ts';

/** Some space kept back in a file, so that a full disk still has room for deletes and the index. */
export interface SpaceReserve {
  /** Takes the space if it is not held; `false` when there is none. */
  ensure(): Promise<boolean>;
  /** Gives the space up; `false` when it was not held. */
  release(): Promise<boolean>;
}

const PIECE_BYTES = 256 * 1024;

/** @param sizeBytes how much to keep back; 0 for nothing */
export function createSpaceReserve(files: SegmentFiles, directory: string, sizeBytes: number): SpaceReserve {
  const path = join(directory, 'reserve');
  let held: boolean | null = null;

  async function isComplete(): Promise<boolean> {
    try {
      const file = await files.open(path, 'read');
      try {
        return (await file.sizeBytes()) >= sizeBytes;
      } finally {
        await file.close();
      }
    } catch (error) {
      if (isMissingError(error)) return false;
      throw error;
    }
  }

  async function removeIfThere(): Promise<void> {
    try {
      await files.remove(path);
    } catch (error) {
      if (!isMissingError(error)) throw error;
    }
  }

  return {
    async ensure() {
      if (sizeBytes === 0 || held === true) return true;
      if (held === null && (await isComplete())) {
        held = true;
        return true;
      }
      await removeIfThere();
      try {
        const file = await files.open(path, 'create');
        try {
          const piece = new Uint8Array(PIECE_BYTES);
          for (let at = 0; at < sizeBytes; at += PIECE_BYTES) {
            await file.write([piece.subarray(0, Math.min(PIECE_BYTES, sizeBytes - at))], at);
          }
        } finally {
          await file.close();
        }
        held = true;
        return true;
      } catch (error) {
        if (!isFullError(error)) throw error;
        await removeIfThere();
        held = false;
        return false;
      }
    },
    async release() {
      if (held === false || !(held ?? (await isComplete()))) return false;
      await removeIfThere();
      held = false;
      return true;
    },
  };
}
