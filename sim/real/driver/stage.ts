import type { UserOperations } from '@cairn/filesystem';
import type { Entry, EntryId } from '@cairn/model';
import type { SyncStatus } from '@cairn/sync-engine';
import type { DeviceOptions } from '../scenario-schema.ts';

/** What a scenario lets a device's user do. */
export type StageUser = Pick<
  UserOperations,
  | 'writeFile'
  | 'readFile'
  | 'makeFolder'
  | 'rename'
  | 'remove'
  | 'makeLink'
  | 'setExecutable'
  | 'setModifiedAt'
  | 'makeFifo'
  | 'describe'
> & {
  makeHardLink(path: string, newPath: string): void;
  /** Nanoseconds since 1970. */
  modifiedAtNs(path: string): bigint;
};

/** What one device can have done to it. A stage that cannot do something throws {@link NotHere}. */
export interface StageDevice {
  readonly name: string;
  readonly user: StageUser;
  readonly isRunning: boolean;
  readonly isOnline: boolean;
  start(): Promise<void>;
  /** As a signal does it. */
  stop(): Promise<void>;
  /** As kill -9 does it. */
  kill(): Promise<void>;
  cutPower(): Promise<void>;
  setOnline(online: boolean): Promise<void>;
  loseDatabase(): void;
  /** Scan everything and ask the server, now. */
  refresh(): Promise<void>;
  confirm(): Promise<void>;
  reject(): Promise<void>;
  pause(paused: boolean): Promise<void>;
  /** What it says of itself; `null` while it does not run. */
  status(): Promise<SyncStatus | null>;
  /** The folder vanishes as that of an unmounted disk. */
  setMounted(mounted: boolean): void;
  setReadable(path: string, readable: boolean): void;
  /** Whether the disk takes not one byte more; what is on it stays. */
  setFull(full: boolean): void;
  /** While deaf, changes on disk give no hints. */
  setDeaf(deaf: boolean): void;
  loseAnswers(count: number): void;
  /** Bytes of everything in the rescue area. */
  rescued(): Promise<readonly Uint8Array[]>;
}

/** What is on the server, asked as a client of the account asks. */
export interface ServerView {
  sequence(): Promise<number>;
  entries(): Promise<readonly Entry[]>;
  versions(
    entryId: EntryId,
  ): Promise<readonly { readonly contentId: string | null; readonly target: string | null }[]>;
  /** Puts everything in the trash back into the tree, so that it can be looked at. */
  restoreTrash(): Promise<void>;
}

export interface Stage {
  readonly view: ServerView;
  addDevice(name: string, options: DeviceOptions): Promise<StageDevice>;
  readonly server: {
    stop(): Promise<void>;
    start(): Promise<void>;
    kill(): Promise<void>;
    /** Keeps a copy of the database. */
    backUp(): Promise<void>;
    /** Puts the copy back, as an administrator who restores an older backup. */
    restore(): Promise<void>;
  };
  close(): Promise<void>;
}

/** A step that this stage has no way to do. */
export class NotHere extends Error {}

/** What stands at one path. */
export interface SeenItem {
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly bytes: Uint8Array;
  readonly target: string;
  readonly executable: boolean;
  /** Of a file, microseconds since 1970. */
  readonly modifiedAtUs: number | null;
}

/** Rounded down, also before 1970. */
function toMicroseconds(ns: bigint): number {
  const rest = ((ns % 1000n) + 1000n) % 1000n;
  return Number((ns - rest) / 1000n);
}

/** Everything below a folder as its user sees it. */
export function readSeen(user: StageUser): Map<string, SeenItem> {
  const seen = new Map<string, SeenItem>();
  for (const line of user.describe()) {
    const file = /^(.*) file ([0-9a-f]*)( x)?$/s.exec(line);
    const link = /^(.*?) link (.*)$/s.exec(line);
    const plain = /^(.*) (folder|other|special)$/s.exec(line);
    const none = { bytes: new Uint8Array(0), target: '', executable: false, modifiedAtUs: null };
    if (file !== null) {
      seen.set(file[1] as string, {
        ...none,
        kind: 'file',
        bytes: Buffer.from(file[2] as string, 'hex'),
        executable: file[3] !== undefined,
        modifiedAtUs: toMicroseconds(user.modifiedAtNs(file[1] as string)),
      });
    } else if (link !== null)
      seen.set(link[1] as string, { ...none, kind: 'link', target: link[2] as string });
    else if (plain !== null)
      seen.set(plain[1] as string, { ...none, kind: plain[2] === 'folder' ? 'folder' : 'other' });
    else throw new Error(`a line of a tree that cannot be read: ${line}`);
  }
  return seen;
}
