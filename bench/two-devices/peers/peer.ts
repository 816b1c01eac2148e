import type { Defer } from '../../world/cleanup.ts';
import type { Wire } from '../../world/network.ts';
import type { ProcessUsage } from '../../world/process-usage.ts';
import type { PeerName, PerRole, StepName } from '../measurement.ts';

/** A program that carries what is in one folder over a server into another one. */
export interface PeerKind {
  readonly name: PeerName;
  /** How it is set up, for the report. */
  readonly description: string;
  /** @returns its version, `null` where it is not installed */
  findVersion(): string | null;
  /** @returns why this step is not taken with it, `null` where it is */
  refuse(step: StepName): string | null;
  /** More files than this take too long: so many are measured, and the rest is reckoned from them. */
  readonly mostFiles?: number;
  /** Starts it with two empty folders. Everything it starts is stopped by what it defers. */
  start(setting: PeerSetting): Promise<Peer>;
}

export interface PeerSetting {
  /** An empty folder for all its files. */
  readonly work: string;
  readonly wire: Wire;
  readonly defer: Defer;
  /** Longest wait for one step. */
  readonly timeoutMs: number;
  /** Folder for CPU profiles of Cairn's processes. */
  readonly profileFolder: string | null;
}

export interface Peer {
  readonly folderA: string;
  readonly folderB: string;
  /** Whether names, bytes, times and modes arrive, or only names and bytes are promised. */
  readonly keeps: 'everything' | 'contents';
  /** Whether something in the folders, at any depth, is its own. */
  isOwn(name: string): boolean;
  /**
   * Carries A's changes over to B. Those that watch do so by themselves and have no such function.
   * @param keepsSize whether the change left the size of a file as it was
   * @returns what must be said about how, if anything
   */
  readonly deliver?: (keepsSize: boolean) => Promise<string | null>;
  /**
   * Puts a folder's content under the name where all its programs have it at once, for those that would take too long to
   * carry it. Resolves when each has taken note of all of it.
   * @param items files, folders and links in it
   */
  readonly place?: (source: string, name: string, items: number) => Promise<void>;
  /** Waits until all its programs say that they have nothing to do. */
  settle(): Promise<void>;
  /** Since the start; peaks since the last {@link resetPeaks}. */
  readUsage(): PerRole<ProcessUsage>;
  resetPeaks(): void;
  /** A's program that stays, where there is one. */
  readonly processOfA?: () => number;
  /**
   * Stops what A runs and starts it again with nothing changed.
   * @returns milliseconds until it says that it is in sync
   */
  readonly restartA?: () => Promise<number>;
}
