import type { SegmentFile, SegmentFiles } from '../segments/segment-files.ts';

export type FileAction =
  | 'create'
  | 'open'
  | 'write'
  | 'read'
  | 'datasync'
  | 'truncate'
  | 'remove'
  | 'sync-directory';

export interface FaultyFiles extends SegmentFiles {
  /**
   * Asked before every action; an error makes it fail. A failing write has first written half of its bytes, as
   * a full or dying disk does.
   */
  onAction: (action: FileAction, path: string) => Error | null;
}

/** An error as the system reports it. */
export function systemError(code: 'ENOSPC' | 'EIO'): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

/** Wraps a file layer so that a test decides what fails. */
export function createFaultyFiles(inner: SegmentFiles): FaultyFiles {
  const faulty: FaultyFiles = {
    ...inner,
    onAction: () => null,
    async open(path, mode) {
      check(mode === 'create' ? 'create' : 'open', path);
      const file = await inner.open(path, mode);
      const wrapped: SegmentFile = {
        async write(buffers, position) {
          const error = faulty.onAction('write', path);
          if (error === null) return file.write(buffers, position);
          const bytes = Buffer.concat(buffers);
          await file.write([bytes.subarray(0, bytes.length >> 1)], position);
          throw error;
        },
        async read(into, position) {
          check('read', path);
          return file.read(into, position);
        },
        async datasync() {
          check('datasync', path);
          await file.datasync();
        },
        async truncate(sizeBytes) {
          check('truncate', path);
          await file.truncate(sizeBytes);
        },
        sizeBytes: () => file.sizeBytes(),
        close: () => file.close(),
      };
      return wrapped;
    },
    async remove(path) {
      check('remove', path);
      await inner.remove(path);
    },
    async syncDirectory(path) {
      check('sync-directory', path);
      await inner.syncDirectory(path);
    },
  };
  function check(action: FileAction, path: string): void {
    const error = faulty.onAction(action, path);
    if (error !== null) throw error;
  }
  return faulty;
}
