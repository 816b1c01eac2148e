import { CairnError, isCairnError } from '@cairn/model';

const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** The system's error code (`ENOENT`, …) of anything thrown, or `''`. */
export function systemCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && !isCairnError(error) ? code : '';
}

/**
 * Turns what a system call threw into the port's error: `local-disk-full` or `local-io`, with the path and the
 * cause. Errors that are the port's already, and programmer errors, pass unchanged.
 */
export function localError(error: unknown, action: string, path: string): Error {
  const code = systemCode(error);
  if (code === '' || code.startsWith('ERR_')) return error as Error;
  const details = { path, systemCode: code };
  if (FULL.has(code)) {
    return new CairnError(
      'local-disk-full',
      `cannot ${action} "${path}": the disk is full; free some space`,
      {
        cause: error,
        details,
      },
    );
  }
  return new CairnError('local-io', `cannot ${action} "${path}" (${code}); ${adviceFor(code)}`, {
    cause: error,
    details,
  });
}

function adviceFor(code: string): string {
  if (code === 'EACCES' || code === 'EPERM') return 'check its permissions and owner';
  if (code === 'EROFS') return 'the disk is read-only; remount it for writing';
  if (code === 'EXDEV') return 'it is on another disk than the synced folder; move it or exclude it';
  if (code === 'ENAMETOOLONG') return 'this disk cannot store so long a name; rename it';
  if (code === 'EMFILE' || code === 'ENFILE') return 'too many files are open; raise the limit (ulimit -n)';
  if (code === 'EIO') return 'the disk reports damage; check it';
  return 'check the disk and try again';
}

/** `local-changed`: what was planned no longer fits what is on the disk. */
export function changedError(path: string, reason: string): CairnError {
  return new CairnError('local-changed', `"${path}" was left alone: ${reason}; it is looked at again`, {
    details: { path },
  });
}

/** `not-found` for certain absence. */
export function missingError(path: string): CairnError {
  return new CairnError('not-found', `there is no "${path}" in the synced folder`, { details: { path } });
}

/** There is certainly no such folder: a part of the path is missing, a link, or something else. */
export class FolderUnreachable extends Error {
  override readonly name = 'FolderUnreachable';
  readonly reason: 'missing' | 'link' | 'not-a-folder';

  constructor(reason: 'missing' | 'link' | 'not-a-folder', path: string) {
    super(
      reason === 'missing'
        ? `the folder "${path}" does not exist`
        : reason === 'link'
          ? `"${path}" is a symbolic link, which is never followed`
          : `"${path}" is not a folder`,
    );
    this.reason = reason;
  }
}

/** How a folder on the way that is certainly not there is told: `absent` for reading, `changed` for changing. */
export type WhenUnreachable = 'absent' | 'changed';

/** The port's error for anything thrown on the way to `path`. */
export function explain(error: unknown, action: string, path: string, when: WhenUnreachable): Error {
  if (!(error instanceof FolderUnreachable)) return localError(error, action, path);
  if (when === 'changed') return changedError(path, error.message);
  if (error.reason !== 'link') return missingError(path);
  return new CairnError('local-io', `cannot ${action} "${path}": ${error.message}`, {
    cause: error,
    details: { path },
  });
}

export function rootMissingError(root: string, cause?: unknown): CairnError {
  return new CairnError(
    'root-missing',
    `the synced folder ${root} is missing or has been replaced. Nothing was deleted anywhere. Bring it back (is its disk mounted?) or link it anew`,
    { cause, details: { root } },
  );
}
