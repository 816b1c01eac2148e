import { mkdirSync, readdirSync, renameSync, unlinkSync } from 'node:fs';
import { basename, relative } from 'node:path';
import type { SegmentBlockStoreOptions } from '@cairn/block-store';
import type { Draw } from '../../random.ts';
import type { Timeline } from '../../world/timeline.ts';
import type { SimulatedProcess } from './simulated-process.ts';

export type SegmentFiles = NonNullable<SegmentBlockStoreOptions['files']>;
type OpenFile = Awaited<ReturnType<SegmentFiles['open']>>;

/** What a loss of power may leave undone. */
type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly sizeBytes: number };

const SECTOR_BYTES = 512;
/** Of a record, before its payload. */
const HEADER_BYTES = 84;
/** Reads cost no time, so that looking at a disk changes nothing. */
const [WRITE_MS, FLUSH_MS] = [2, 7];

function apply(content: Buffer, change: Change): Buffer {
  if (change.kind === 'truncate') {
    if (change.sizeBytes <= content.length) return content.subarray(0, change.sizeBytes);
    return Buffer.concat([content, Buffer.alloc(change.sizeBytes - content.length)]);
  }
  const { position, bytes } = change;
  const end = position + bytes.length;
  const grown = Buffer.alloc(Math.max(content.length, end));
  content.copy(grown);
  grown.set(bytes, position);
  return grown;
}

/** What a cut of power leaves of a write that nobody flushed: all, nothing, a part, or some of its sectors. */
function leave(write: Extract<Change, { kind: 'write' }>, draw: Draw): Change[] {
  const { position, bytes } = write;
  const choice = draw.below(4);
  if (choice === 0) return [];
  if (choice === 1) return [write];
  if (choice === 2) return [{ ...write, bytes: bytes.subarray(0, draw.below(bytes.length)) }];
  const left: Change[] = [];
  for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
    if (!draw.chance(50)) continue;
    left.push({ kind: 'write', position: position + at, bytes: bytes.subarray(at, at + SECTOR_BYTES) });
  }
  return left;
}

/** One file: as programs see it, as it is on the disk, and what lies between. */
class CachedFile {
  content: Buffer = Buffer.alloc(0);
  durable: Buffer = Buffer.alloc(0);
  #pending: Change[] = [];

  get isDirty(): boolean {
    return this.#pending.length > 0;
  }

  change(change: Change): void {
    this.content = apply(this.content, change);
    this.#pending.push(change);
  }

  /** What is to be flushed now; what is written from here on waits for the next flush. */
  beginFlush(): () => void {
    const flushed = this.#pending.slice();
    return () => {
      for (const change of flushed) {
        const at = this.#pending.indexOf(change);
        if (at < 0) continue;
        this.#pending.splice(at, 1);
        this.durable = apply(this.durable, change);
      }
    };
  }

  cutPower(draw: Draw): void {
    for (const change of this.#pending) {
      if (change.kind === 'write') {
        for (const part of leave(change, draw)) this.durable = apply(this.durable, part);
      } else if (draw.chance(50)) this.durable = apply(this.durable, change);
    }
    this.#pending = [];
    this.content = this.durable;
  }

  /** All of it as it is now, and durable. */
  copy(): CachedFile {
    const copy = new CachedFile();
    copy.content = Buffer.from(this.content);
    copy.durable = copy.content;
    return copy;
  }

  flip(position: number): void {
    this.content = Buffer.from(this.content);
    this.durable = Buffer.from(this.durable);
    for (const bytes of [this.content, this.durable]) {
      if (position < bytes.length) bytes[position] = (bytes[position] as number) ^ 1;
    }
  }
}

type Names = Map<string, CachedFile>;

function missing(name: string): Error {
  return Object.assign(new Error(`ENOENT: there is no ${name}`), { code: 'ENOENT' });
}

/**
 * The segments in a store's folder, on a disk with a cache: whoever reads sees what was written, and a loss of power leaves
 * what was flushed, any part of what was not, and of the names those of the last flush with some of the changes since, in
 * their order. A killed process loses nothing that it had written. The index beside them is SQLite's business, in a real
 * file.
 */
export class DiskFiles {
  readonly #timeline: Timeline;
  readonly #draw: Draw;
  #names: Names = new Map();
  #durableNames: Names = new Map();
  #nameChanges: ((names: Names) => void)[] = [];

  constructor(timeline: Timeline, draw: Draw) {
    this.#timeline = timeline;
    this.#draw = draw;
  }

  /** Whether a cut of power could take anything. */
  get hasUnflushed(): boolean {
    return this.#nameChanges.length > 0 || [...this.#names.values()].some(({ isDirty }) => isDirty);
  }

  copy(): DiskFiles {
    const copy = new DiskFiles(this.#timeline, this.#draw);
    for (const [name, file] of this.#names) copy.#names.set(name, file.copy());
    copy.#durableNames = new Map(copy.#names);
    return copy;
  }

  cutPower(): void {
    const kept = this.#draw.below(this.#nameChanges.length + 1);
    for (const change of this.#nameChanges.slice(0, kept)) change(this.#durableNames);
    this.#nameChanges = [];
    for (const file of this.#durableNames.values()) file.cutPower(this.#draw);
    this.#names = new Map(this.#durableNames);
  }

  /** Flips a bit of the newest record with this payload, as rot does. Returns whether there is one. */
  rot(id: Buffer, payload: Uint8Array): boolean {
    for (const name of [...this.#names.keys()].sort().reverse()) {
      const file = this.#names.get(name) as CachedFile;
      for (let end = file.content.length; end > 0; ) {
        const at = file.content.lastIndexOf(payload, end - 1);
        if (at < 0) break;
        // The header before it names the block; lists of blocks do so, too.
        if (file.content.subarray(Math.max(0, at - HEADER_BYTES), at).includes(id)) {
          file.flip(at);
          return true;
        }
        end = at;
      }
    }
    return false;
  }

  #changeNames(change: (names: Names) => void): void {
    change(this.#names);
    this.#nameChanges.push(change);
  }

  #find(name: string): CachedFile {
    const file = this.#names.get(name);
    if (file === undefined) throw missing(name);
    return file;
  }

  /** The files as one process has them, in a folder of this path; writes and flushes take simulated time. */
  as(process: SimulatedProcess, directory: string): SegmentFiles {
    /** Rejects when the process ends meanwhile. */
    const pass = async (durationMs: number): Promise<void> => {
      const ended = () => new Error('the process has ended');
      if (process.isDead) throw ended();
      if (durationMs === 0) return;
      await new Promise<void>((resolve, reject) => {
        const stopListening = process.onDeath(() => reject(ended()));
        this.#timeline.schedule(durationMs, () =>
          process.deliver(() => {
            stopListening();
            resolve();
          }),
        );
      });
    };
    const isSegment = (path: string) => relative(directory, path).startsWith('segments/');

    const open = (file: CachedFile): OpenFile => ({
      write: async (buffers, position) => {
        process.meet('disk-write');
        await pass(0);
        const bytes = Buffer.concat(buffers);
        // A process that is killed here has written a part.
        const first = this.#draw.below(bytes.length + 1);
        file.change({ kind: 'write', position, bytes: bytes.subarray(0, first) });
        await pass(this.#draw.below(WRITE_MS));
        file.change({ kind: 'write', position: position + first, bytes: bytes.subarray(first) });
      },
      read: async (into, position) => {
        await pass(0);
        return file.content.copy(into, 0, position, position + into.length);
      },
      datasync: async () => {
        process.meet('disk-flush');
        await pass(0);
        const end = file.beginFlush();
        await pass(1 + this.#draw.below(FLUSH_MS));
        end();
        process.meet('disk-flushed');
        await pass(0);
      },
      truncate: async (sizeBytes) => {
        await pass(0);
        file.change({ kind: 'truncate', sizeBytes });
      },
      sizeBytes: async () => file.content.length,
      close: async () => undefined,
    });

    return {
      open: async (path, mode) => {
        await pass(0);
        const name = basename(path);
        if (mode !== 'create') return open(this.#find(name));
        if (this.#names.has(name)) throw Object.assign(new Error(`${name} is there`), { code: 'EEXIST' });
        const file = new CachedFile();
        this.#changeNames((names) => names.set(name, file));
        return open(file);
      },
      makeDirectory: async (path) => {
        mkdirSync(path, { recursive: true });
      },
      list: async (path) => {
        await pass(0);
        return isSegment(`${path}/x`) ? [...this.#names.keys()].sort() : readdirSync(path).sort();
      },
      syncDirectory: async (path) => {
        await pass(0);
        if (!isSegment(`${path}/x`)) return;
        process.meet('disk-flush-names');
        await pass(0);
        const flushed = this.#nameChanges.slice();
        await pass(1 + this.#draw.below(FLUSH_MS));
        for (const change of flushed) {
          if (this.#nameChanges[0] !== change) continue;
          this.#nameChanges.shift();
          change(this.#durableNames);
        }
      },
      rename: async (from, to) => {
        await pass(0);
        if (!isSegment(from)) return this.#onRealFile(from, () => renameSync(from, to));
        const file = this.#find(basename(from));
        this.#changeNames((names) => {
          names.delete(basename(from));
          names.set(basename(to), file);
        });
      },
      remove: async (path) => {
        await pass(0);
        if (!isSegment(path)) return this.#onRealFile(path, () => unlinkSync(path));
        this.#find(basename(path));
        this.#changeNames((names) => names.delete(basename(path)));
      },
    };
  }

  /** The index and its parts: small, and always flushed by SQLite itself. */
  #onRealFile(path: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw missing(path);
      throw error;
    }
  }
}
