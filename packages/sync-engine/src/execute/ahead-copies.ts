import { allocateBytes } from '@cairn/content';
import type { TemporaryFile } from '@cairn/filesystem';
import {
  type AnnouncedFile,
  type ContentId,
  type CopiedRun,
  type EntryId,
  type FileContent,
  isCairnError,
  type ManifestPart,
} from '@cairn/model';
import type { LocalNode } from '@cairn/planner';
import { type BufferLanes, createBufferLanes } from './buffer-lanes.ts';
import type { DownloadDeps } from './deps.ts';
import { isEngineWide } from './engine-wide.ts';
import { readKnown } from './local-base.ts';
import type { ReceivedChunks } from './received-chunks.ts';
import { findFileOf, openTwin } from './twin-files.ts';

/** Of chunks that are on this disk, one is read and one is written while two others are hashed. */
export const COPY_LANES = 4;

export type CopyDeps = Pick<DownloadDeps, 'filesystem' | 'space' | 'local' | 'platform' | 'environment'>;

/** What copying changes in the transfer that it is for. */
export interface CopyTarget {
  readonly temporary: TemporaryFile;
  readonly received: ReceivedChunks;
  /** Called before anything is written up to `end`. */
  noteWriting(end: number): void;
  /** Asked before each chunk. */
  goesOn(): boolean;
}

/** A file on this disk that has, as far as was seen, the content that runs are from. */
export class CopySource {
  readonly base: ContentId;
  readonly #entryId: EntryId;
  readonly #chunks: readonly ManifestPart[];
  /** Which of them begins there. */
  readonly #indexAt = new Map<number, number>();
  #lanes: BufferLanes | null = null;

  private constructor(base: ContentId, entryId: EntryId, chunks: readonly ManifestPart[]) {
    this.base = base;
    this.#entryId = entryId;
    this.#chunks = chunks;
    let position = 0;
    for (const [index, { sizeBytes }] of chunks.entries()) {
      this.#indexAt.set(position, index);
      position += sizeBytes;
    }
  }

  /** `null` when no file is known to have it, or its list cannot be read. Throws when the engine cannot go on. */
  static async find(
    { local, space, environment }: CopyDeps,
    { entryId, sizeBytes }: AnnouncedFile,
    base: ContentId,
    signal: AbortSignal,
  ): Promise<CopySource | null> {
    const own = local.get(entryId);
    const node = contentOf(own)?.contentId === base ? own : findFileOf(local, { contentId: base, sizeBytes });
    const content = contentOf(node);
    if (node === undefined || content?.contentId !== base) return null;
    const chunks: ManifestPart[] = [];
    try {
      for await (const part of space.listChunks(content, signal)) chunks.push(part);
    } catch (error) {
      if (signal.aborted || !isCairnError(error) || isEngineWide(error)) throw error;
      environment.log.debug('ahead.base-unreadable', { code: error.code });
      return null;
    }
    return new CopySource(base, node.entryId, chunks);
  }

  /** Copies a run's chunks, each of which counts once it was checked and written. What is not there is left out. */
  async copy(deps: CopyDeps, run: CopiedRun, target: CopyTarget): Promise<void> {
    const path = deps.local.path(this.#entryId);
    const first = this.#indexAt.get(run.basePosition);
    const source = path === null || first === undefined ? null : await openTwin(deps, path);
    if (source === null || first === undefined) return;
    this.#lanes ??= createBufferLanes(COPY_LANES, (sizeBytes) => allocateBytes(deps.platform, sizeBytes));
    const lanes = this.#lanes;
    try {
      let copied = 0;
      for (let index = first; copied < run.sizeBytes && target.goesOn(); index++) {
        const part = this.#chunks[index];
        if (part === undefined) break;
        const [from, at] = [run.basePosition + copied, run.position + copied];
        copied += part.sizeBytes;
        if (copied > run.sizeBytes || target.received.has(at, part)) continue;
        await lanes.begin(part.sizeBytes, async (buffer) => {
          const bytes = await readKnown(deps.platform, source, from, part, buffer);
          if (bytes === null) return;
          target.received.forget(at, at + bytes.length);
          target.noteWriting(at + bytes.length);
          await target.temporary.write(bytes, at);
          target.received.add({ ...part, position: at }, true);
        });
      }
      await lanes.end();
    } catch (error) {
      this.#lanes = null;
      throw error;
    } finally {
      // Whoever fails waits for the others: what they use is closed now.
      await lanes.end().catch(() => undefined);
      await source.close();
    }
  }
}

function contentOf(node: LocalNode | undefined): FileContent | null {
  return node?.kind === 'file' ? node.content : null;
}
