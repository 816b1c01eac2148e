import type { Environment } from '@cairn/environment';
import type { TemporaryFile } from '../filesystem.ts';
import { localError } from '../local-errors.ts';
import { checkTemporaryName } from '../paths.ts';
import type { MemoryOperation } from './fault-plan.ts';
import type { MemoryDisk, MemoryFile, MemoryFolder } from './memory-disk.ts';

export interface MemoryTemporary extends TemporaryFile {
  readonly name: string;
  readonly file: MemoryFile;
  finish(): void;
}

export interface MemoryTemporariesOptions {
  readonly disk: MemoryDisk;
  readonly environment: Environment;
  check(operation: MemoryOperation, path: string): void;
  privateFolder(name: string): MemoryFolder;
}

/** Private files of the simulated disk, under the same rules as the real ones. */
export function createMemoryTemporaries(options: MemoryTemporariesOptions) {
  const { disk, environment, check, privateFolder } = options;
  const open = new Map<string, MemoryTemporary>();
  const roomy = new WeakSet<ArrayBufferLike>();

  function resize(file: MemoryFile, sizeBytes: number): void {
    const growth = sizeBytes - file.bytes.length;
    if (growth > 0) disk.assertRoom(growth);
    disk.addUsed(growth);
    const { buffer } = file.bytes;
    // Zeros behind the end: only what was made here has them. What a power cut leaves must stay as it is.
    if (
      growth > 0 &&
      roomy.has(buffer) &&
      sizeBytes <= buffer.byteLength &&
      file.durableBytes?.buffer !== buffer
    ) {
      file.bytes = new Uint8Array(buffer, 0, sizeBytes);
      return;
    }
    // Twice the size for what grows: files of many pieces would otherwise be copied with each of them.
    const bytes = new Uint8Array(new ArrayBuffer(growth > 0 ? 2 * sizeBytes : sizeBytes), 0, sizeBytes);
    bytes.set(file.bytes.subarray(0, sizeBytes));
    if (growth > 0) roomy.add(bytes.buffer);
    file.bytes = bytes;
  }

  function touch(file: MemoryFile): void {
    file.changedAtNs = disk.nowNs();
    file.modifiedAtNs = disk.storedTime(file.changedAtNs);
  }

  function create(firstName: string): MemoryTemporary {
    let name = firstName;
    let label = `.cairn/temporary/${name}`;
    const folder = privateFolder('temporary');
    const existing = disk.lookUp(folder, name);
    let file: MemoryFile;
    if (existing?.kind === 'file') file = existing;
    else {
      file = disk.createFile(new Uint8Array(0));
      disk.setName(folder, name, file);
    }
    let isOpen = true;
    let failed = false;
    function assertOpen(operation: MemoryOperation): void {
      if (!isOpen) throw new Error(`the temporary ${name} is closed`);
      check(operation, label);
    }
    function finish(): void {
      isOpen = false;
      open.delete(name);
    }
    function discard(): void {
      if (!isOpen) return;
      finish();
      disk.setName(privateFolder('temporary'), name, null);
      disk.addUsed(-file.bytes.length);
    }
    const temporary: MemoryTemporary = {
      get name() {
        return name;
      },
      file,
      existingBytes: file.bytes.length,
      finish,
      async read(into, position) {
        assertOpen('read');
        const piece = file.bytes.subarray(position, position + into.length);
        into.set(piece);
        return piece.length;
      },
      async write(bytes, position) {
        assertOpen('write');
        const end = position + bytes.length;
        fullDisk(label, () => {
          if (end > file.bytes.length) resize(file, end);
          else if (file.durableBytes === file.bytes) file.bytes = file.bytes.slice();
        });
        file.bytes.set(bytes, position);
        touch(file);
      },
      async truncate(sizeBytes) {
        assertOpen('write');
        fullDisk(label, () => resize(file, sizeBytes));
        touch(file);
      },
      async sync() {
        try {
          assertOpen('sync');
        } catch (error) {
          failed = true;
          throw error;
        }
        if (failed) throw new Error(`the temporary ${name} could not be made durable before`);
        file.durableBytes = file.bytes;
      },
      async rename(newName) {
        assertOpen('openTemporary');
        checkTemporaryName(newName);
        if (open.has(newName)) throw new Error(`the temporary ${newName} is open already`);
        const folder = privateFolder('temporary');
        const replaced = disk.lookUp(folder, newName);
        disk.atomically(() => {
          disk.setName(folder, name, null);
          disk.setName(folder, newName, file);
        });
        if (replaced?.kind === 'file') disk.addUsed(-replaced.bytes.length);
        open.delete(name);
        name = newName;
        label = `.cairn/temporary/${name}`;
        open.set(name, temporary);
      },
      async close() {
        if (failed) discard();
        else finish();
      },
      async discard() {
        discard();
      },
    };
    return temporary;
  }

  return {
    async open(name: string): Promise<MemoryTemporary> {
      checkTemporaryName(name);
      check('openTemporary', name);
      if (open.has(name)) throw new Error(`the temporary ${name} is open already`);
      const temporary = create(name);
      open.set(name, temporary);
      return temporary;
    },
    async removeOld(olderThanMs: number, prefix = ''): Promise<void> {
      check('removeOldTemporaries', '');
      const before = BigInt(Math.floor(environment.clock.now() - olderThanMs)) * 1_000_000n;
      const folder = privateFolder('temporary');
      for (const { name, node } of [...folder.items.values()]) {
        if (open.has(name) || !name.startsWith(prefix) || node.changedAtNs >= before) continue;
        disk.setName(folder, name, null);
        if (node.kind === 'file') disk.addUsed(-node.bytes.length);
      }
    },
    own(temporary: TemporaryFile): MemoryTemporary {
      const own = open.get((temporary as Partial<MemoryTemporary>).name ?? '');
      if (own !== undefined && own === temporary) return own;
      throw new Error('this temporary is closed or belongs to another filesystem');
    },
  };
}

function fullDisk(label: string, change: () => void): void {
  try {
    change();
  } catch (error) {
    throw localError(error, 'write', label);
  }
}
