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
   * Holds the folder with these names below the root. Throws `FolderUnreachable` when that is certainly
   * no folder, and the system's error when it cannot tell.
   */
  hold(names: readonly string[]): HeldFolder;
  /** To be called when we renamed or removed something that may be a folder: what was checked before counts no more. */
  forgetChecks(): void;
  close(): void;
}
