import type { Attributes, Expectation, FileStatus, Filesystem } from './filesystem.ts';
import type { UserOperations } from './memory/memory-user.ts';

/** What an adapter gives the contract suite: an empty root, and a user at work in it. */
export interface FilesystemUnderTest {
  readonly filesystem: Filesystem;
  readonly user: UserOperations;
  /** Microseconds of a modification time that this adapter stores exactly. */
  readonly storesNegativeTimes: boolean;
  dispose(): Promise<void>;
}

export interface ContractTools {
  readonly filesystem: () => Filesystem;
  readonly user: () => UserOperations;
  put(path: string, text: string, expected?: Expectation, attributes?: Attributes): Promise<FileStatus>;
  statusAt(path: string): Promise<FileStatus>;
  read(path: string): Promise<string>;
}

export const ABSENT: Expectation = { absent: true };
