import { CairnError } from '@cairn/model';

/** A folder that is certainly inside the root for as long as it is held. */
export interface HeldFolder {
  /** Put a `/` and a name behind it to reach an item without following a link on the way. */
  readonly base: string;
  /** For fsync; `null` where folders cannot be opened. */
  readonly descriptor: number | null;
  release(): void;
}

/** The way to folders below the root; one implementation per kind of operating system. */
export interface FolderAccess {
  /** Throws `root-missing` when the root is gone or is another folder than at the start. */
  checkRoot(): void;
  /**
   * Holds the folder with these names below the root. Throws {@link FolderUnreachable} when that is certainly
   * no folder, and the system's error when it cannot tell.
   */
  hold(names: readonly string[]): HeldFolder;
  close(): void;
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

export function rootMissingError(root: string, cause?: unknown): CairnError {
  return new CairnError(
    'root-missing',
    `the synced folder ${root} is missing or has been replaced; bring it back (is its disk mounted?) or add it again`,
    { cause, details: { root } },
  );
}
