import {
  type BigIntStats,
  closeSync,
  constants,
  fchmodSync,
  fdatasync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs';
import { CairnError } from '@cairn/model';
import type { Attributes, TemporaryFile } from '../filesystem.ts';
import { localError, systemCode } from '../local-errors.ts';
import { checkTemporaryName } from '../paths.ts';
import { newFileMode, PERMISSION_BITS, setModifiedAt } from './file-attributes.ts';
import { readAt } from './reading.ts';
import { holdPrivate, type RootContext } from './root-context.ts';
import { createWrittenRanges } from './written-ranges.ts';

const SYNCHRONOUS_WRITE_BYTES = 128 * 1024;
/** Shorter runs of zeros are written: a hole saves whole blocks of the disk only. */
const MIN_HOLE_BYTES = 32 * 1024;
const ZEROS = new Uint8Array(64 * 1024);
/** After so many bytes the disk begins to write them while more come, so that the flush at the end has little left to do. */
const FLUSH_AHEAD_BYTES = 32 * 1024 * 1024;

function isHole(bytes: Uint8Array): boolean {
  if (bytes.length < MIN_HOLE_BYTES) return false;
  for (let from = 0; from < bytes.length; from += ZEROS.length) {
    const part = bytes.subarray(from, from + ZEROS.length);
    if (Buffer.compare(part, part.length === ZEROS.length ? ZEROS : ZEROS.subarray(0, part.length)) !== 0)
      return false;
  }
  return true;
}

export interface NodeTemporary extends TemporaryFile {
  /** The present one. */
  readonly name: string;
  readonly descriptor: number;
  readonly device: bigint;
  readonly inode: bigint;
  /** What has these bits or this time already is left alone: each change of an inode waits for the disk's journal. */
  setMode(mode: number): void;
  setModifiedAt(modifiedAtUs: number): void;
  /** Gives it the permission bits of a new file, and the time if there is one. */
  setAttributes(attributes: Attributes): void;
  /** Forgets the file after it got another name; closes the descriptor. */
  placed(): void;
  assertPlaceable(): void;
}

export interface TemporaryFiles {
  open(name: string): NodeTemporary;
  removeOld(olderThanMs: number, prefix?: string): void;
  /** The Node temporary behind a port one; programmer error for one of another filesystem. */
  own(temporary: TemporaryFile): NodeTemporary;
  closeAll(): void;
}

/** Private files in `.cairn/temporary`, resumable by name; each open at most once. */
export function createTemporaryFiles(context: RootContext): TemporaryFiles {
  const open = new Map<string, NodeTemporary>();

  function openDescriptor(systemPath: string): { descriptor: number; status: BigIntStats } {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    let descriptor = openSync(systemPath, flags, 0o600);
    let status = fstatSync(descriptor, { bigint: true });
    if (status.isFile() && status.nlink === 1n) return { descriptor, status };
    // A second name means: it was placed, and the process ended before it took this name away. Going on would
    // write into a file that belongs to the user now.
    closeSync(descriptor);
    unlinkSync(systemPath);
    descriptor = openSync(systemPath, flags | constants.O_EXCL, 0o600);
    status = fstatSync(descriptor, { bigint: true });
    return { descriptor, status };
  }

  function create(firstName: string): NodeTemporary {
    let name = firstName;
    let label = `.cairn/temporary/${name}`;
    const folder = holdPrivate(context, 'temporary');
    let opened: ReturnType<typeof openDescriptor>;
    try {
      opened = openDescriptor(`${folder.base}/${name}`);
    } catch (error) {
      throw localError(error, 'open', label);
    } finally {
      folder.release();
    }
    const { descriptor, status } = opened;
    let mode = Number(status.mode) & PERMISSION_BITS;
    /** As we set it; `null` when we did not, or wrote since. */
    let modifiedAt: number | null = null;
    let endBytes = Number(status.size);
    /** What is skipped where nothing was ever written reads as zeros, in whatever order chunks come. */
    const writtenRanges = createWrittenRanges(endBytes);
    let state: 'open' | 'closed' | 'failed' = 'open';
    /**
     * Settles when the last large write has. The system lets one at a time into a file, and who waits for that keeps a thread
     * and a processor busy.
     */
    let lastWrite: Promise<void> = Promise.resolve();
    let writes = 0;
    let unflushedBytes = 0;
    let flushing: Promise<void> | null = null;
    /** The system tells of what it could not write once only, to whoever asks first: that must not be lost. */
    let flushError: unknown = null;
    function flushAhead(): void {
      unflushedBytes = 0;
      flushing = dataSync(descriptor)
        .catch((error) => {
          flushError = localError(error, 'make durable', label);
          if (state === 'open') state = 'failed';
        })
        .finally(() => {
          flushing = null;
        });
    }
    function assertOpen(): void {
      if (state === 'closed') throw new Error(`the temporary ${name} is closed`);
      if (state === 'failed') {
        if (flushError !== null) throw flushError;
        throw new CairnError('local-io', `${label} could not be made durable; its download starts again`);
      }
    }
    function finish(): void {
      state = 'closed';
      open.delete(name);
      // Its number would be another file's while the system still flushes or writes by it.
      if (flushing === null && writes === 0) closeSync(descriptor);
      else void Promise.all([flushing, lastWrite]).then(() => closeSync(descriptor));
    }
    const temporary: NodeTemporary = {
      get name() {
        return name;
      },
      descriptor,
      device: status.dev,
      inode: status.ino,
      existingBytes: Number(status.size),
      async read(into, position) {
        assertOpen();
        return guard('read', () => readAt(descriptor, into, position));
      },
      async write(bytes, position) {
        assertOpen();
        modifiedAt = null;
        try {
          const end = position + bytes.length;
          if (isHole(bytes) && !writtenRanges.touches(position, end)) {
            if (end > endBytes) ftruncateSync(descriptor, end);
            endBytes = Math.max(endBytes, end);
            return;
          }
          writtenRanges.add(position, end);
          endBytes = Math.max(endBytes, end);
          if (bytes.length <= SYNCHRONOUS_WRITE_BYTES) {
            for (let offset = 0; offset < bytes.length; )
              offset += writeSync(descriptor, bytes, offset, bytes.length - offset, position + offset);
          } else {
            writes++;
            const written = lastWrite
              .then(() => {
                assertOpen();
                return writeAll(descriptor, bytes, position);
              })
              .finally(() => writes--);
            // Who began it is told of its error; the next one only waits.
            lastWrite = written.catch(() => undefined);
            await written;
          }
          unflushedBytes += bytes.length;
          if (unflushedBytes >= FLUSH_AHEAD_BYTES && flushing === null && state === 'open') flushAhead();
        } catch (error) {
          throw localError(error, 'write', label);
        }
      },
      async truncate(sizeBytes) {
        assertOpen();
        modifiedAt = null;
        await guard('shorten', () => ftruncateSync(descriptor, sizeBytes));
        endBytes = sizeBytes;
        writtenRanges.cut(sizeBytes);
      },
      async sync(attributes) {
        assertOpen();
        if (flushing !== null) {
          await flushing;
          assertOpen();
        }
        try {
          await guard('make durable', () => {
            if (attributes !== undefined) temporary.setAttributes(attributes);
            return dataSync(descriptor);
          });
        } catch (error) {
          // The kernel forgets what it could not write; a second attempt would succeed without the bytes.
          state = 'failed';
          throw error;
        }
      },
      async rename(newName) {
        assertOpen();
        checkTemporaryName(newName);
        if (open.has(newName)) throw new Error(`the temporary ${newName} is open already`);
        await guard('rename', () => {
          const folder = holdPrivate(context, 'temporary');
          try {
            renameSync(`${folder.base}/${name}`, `${folder.base}/${newName}`);
          } finally {
            folder.release();
          }
        });
        open.delete(name);
        name = newName;
        label = `.cairn/temporary/${name}`;
        open.set(name, temporary);
      },
      async close() {
        if (flushing !== null) await flushing;
        if (state === 'failed') await temporary.discard();
        else if (state === 'open') finish();
      },
      async discard() {
        if (state === 'closed') return;
        finish();
        removeName(name);
      },
      setMode(wanted) {
        if (mode === wanted) return;
        fchmodSync(descriptor, wanted);
        mode = wanted;
      },
      setModifiedAt(modifiedAtUs) {
        if (modifiedAt === modifiedAtUs) return;
        setModifiedAt(descriptor, modifiedAtUs);
        modifiedAt = modifiedAtUs;
      },
      setAttributes({ executable, modifiedAtUs }) {
        if (context.capabilities.executableBit)
          temporary.setMode(newFileMode(executable ?? false, context.umask));
        if (modifiedAtUs !== undefined) temporary.setModifiedAt(modifiedAtUs);
      },
      placed: finish,
      assertPlaceable: assertOpen,
    };
    async function guard<T>(action: string, run: () => T | Promise<T>): Promise<T> {
      try {
        return await run();
      } catch (error) {
        throw localError(error, action, label);
      }
    }
    return temporary;
  }

  function removeName(name: string): void {
    const folder = holdPrivate(context, 'temporary');
    try {
      unlinkSync(`${folder.base}/${name}`);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw localError(error, 'delete', `.cairn/temporary/${name}`);
    } finally {
      folder.release();
    }
  }

  return {
    open(name) {
      checkTemporaryName(name);
      if (open.has(name)) throw new Error(`the temporary ${name} is open already`);
      const temporary = create(name);
      open.set(name, temporary);
      return temporary;
    },
    removeOld(olderThanMs, prefix = '') {
      const before = context.environment.clock.now() - olderThanMs;
      const folder = holdPrivate(context, 'temporary');
      try {
        for (const name of readdirSync(folder.base)) {
          if (open.has(name) || !name.startsWith(prefix)) continue;
          const status = lstatSync(`${folder.base}/${name}`, { throwIfNoEntry: false });
          if (status === undefined || status.isDirectory() || status.ctimeMs >= before) continue;
          unlinkSync(`${folder.base}/${name}`);
        }
      } catch (error) {
        throw localError(error, 'tidy', '.cairn/temporary');
      } finally {
        folder.release();
      }
    },
    own(temporary) {
      const own = open.get((temporary as Partial<NodeTemporary>).name ?? '');
      if (own !== undefined && own === temporary) return own;
      throw new Error('this temporary is closed or belongs to another filesystem');
    },
    closeAll() {
      for (const temporary of [...open.values()]) temporary.placed();
    },
  };
}

async function writeAll(descriptor: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let offset = 0; offset < bytes.length; ) {
    const rest = bytes.subarray(offset);
    offset += await new Promise<number>((resolve, reject) => {
      write(descriptor, rest, 0, rest.length, position + offset, (error, written) => {
        if (error) reject(error);
        else resolve(written);
      });
    });
  }
}

function dataSync(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(descriptor, (error) => (error ? reject(error) : resolve()));
  });
}
