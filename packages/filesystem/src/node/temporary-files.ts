import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readdirSync,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs';
import { CairnError } from '@cairn/model';
import type { TemporaryFile } from '../filesystem.ts';
import { localError, systemCode } from '../local-errors.ts';
import { checkTemporaryName } from '../paths.ts';
import { setNewAttributes } from './file-attributes.ts';
import { readAt } from './reading.ts';
import { holdPrivate, type RootContext } from './root-context.ts';

const SYNCHRONOUS_WRITE_BYTES = 128 * 1024;

export interface NodeTemporary extends TemporaryFile {
  readonly name: string;
  readonly descriptor: number;
  /** Forgets the file after it got another name; closes the descriptor. */
  placed(): void;
  assertPlaceable(): void;
}

export interface TemporaryFiles {
  open(name: string): NodeTemporary;
  removeOld(olderThanMs: number): void;
  /** The Node temporary behind a port one; programmer error for one of another filesystem. */
  own(temporary: TemporaryFile): NodeTemporary;
  closeAll(): void;
}

/** Private files in `.cairn/temporary`, resumable by name; each open at most once. */
export function createTemporaryFiles(context: RootContext): TemporaryFiles {
  const open = new Map<string, NodeTemporary>();

  function openDescriptor(systemPath: string): number {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const descriptor = openSync(systemPath, flags, 0o600);
    const status = fstatSync(descriptor);
    if (status.isFile() && status.nlink === 1) return descriptor;
    // A second name means: it was placed, and the process ended before it took this name away. Going on would
    // write into a file that belongs to the user now.
    closeSync(descriptor);
    unlinkSync(systemPath);
    return openSync(systemPath, flags | constants.O_EXCL, 0o600);
  }

  function create(name: string): NodeTemporary {
    const label = `.cairn/temporary/${name}`;
    const folder = holdPrivate(context, 'temporary');
    let descriptor: number;
    try {
      descriptor = openDescriptor(`${folder.base}/${name}`);
    } catch (error) {
      throw localError(error, 'open', label);
    } finally {
      folder.release();
    }
    let state: 'open' | 'closed' | 'failed' = 'open';
    function assertOpen(): void {
      if (state === 'closed') throw new Error(`the temporary ${name} is closed`);
      if (state === 'failed') {
        throw new CairnError('local-io', `${label} could not be made durable; its download starts again`);
      }
    }
    function finish(): void {
      state = 'closed';
      open.delete(name);
      closeSync(descriptor);
    }
    const temporary: NodeTemporary = {
      name,
      descriptor,
      existingBytes: fstatSync(descriptor).size,
      async read(into, position) {
        assertOpen();
        return guard('read', () => readAt(descriptor, into, position));
      },
      async write(bytes, position) {
        assertOpen();
        await guard('write', async () => {
          for (let offset = 0; offset < bytes.length; ) {
            const rest = offset === 0 ? bytes : bytes.subarray(offset);
            offset += await writeAt(descriptor, rest, position + offset);
          }
        });
      },
      async truncate(sizeBytes) {
        assertOpen();
        await guard('shorten', () => ftruncateSync(descriptor, sizeBytes));
      },
      async sync(attributes) {
        assertOpen();
        try {
          await guard('make durable', () => {
            if (attributes !== undefined) setNewAttributes(context, descriptor, attributes);
            return dataSync(descriptor);
          });
        } catch (error) {
          // The kernel forgets what it could not write; a second attempt would succeed without the bytes.
          state = 'failed';
          throw error;
        }
      },
      async close() {
        if (state === 'failed') await temporary.discard();
        else if (state === 'open') finish();
      },
      async discard() {
        if (state === 'closed') return;
        finish();
        removeName(name);
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
    removeOld(olderThanMs) {
      const before = context.environment.clock.now() - olderThanMs;
      const folder = holdPrivate(context, 'temporary');
      try {
        for (const name of readdirSync(folder.base)) {
          if (open.has(name)) continue;
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

function writeAt(descriptor: number, bytes: Uint8Array, position: number): number | Promise<number> {
  if (bytes.length <= SYNCHRONOUS_WRITE_BYTES) {
    return writeSync(descriptor, bytes, 0, bytes.length, position);
  }
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, 0, bytes.length, position, (error, written) => {
      if (error) reject(error);
      else resolve(written);
    });
  });
}

function dataSync(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(descriptor, (error) => (error ? reject(error) : resolve()));
  });
}
