import { Wake } from './wake.ts';

/** What a scan is asked to look at. */
export interface Look {
  readonly paths: ReadonlySet<string>;
  readonly recursive: boolean;
}

/**
 * What has to be looked at: folders that were hinted at, everything, the server's journal. A look that fails is
 * given back, so that nothing hinted at is ever forgotten.
 */
export class Attention {
  readonly wake = new Wake();
  #paths = new Set<string>();
  #everything = true;
  #sweep = false;
  #server = true;
  #takenPaths = new Set<string>();
  #tookEverything = false;

  folder(path: string): void {
    this.#paths.add(path);
  }

  everything(): void {
    this.#everything = true;
  }

  /** Events were lost: every folder that changed has to be found. */
  sweep(): void {
    this.#sweep = true;
  }

  /** Whether a sweep was asked for; asking forgets it. */
  takeSweep(): boolean {
    const wanted = this.#sweep;
    this.#sweep = false;
    return wanted;
  }

  server(): void {
    this.#server = true;
  }

  get isPending(): boolean {
    return this.isDiskPending || this.#server;
  }

  get isDiskPending(): boolean {
    return this.#everything || this.#sweep || this.#paths.size > 0;
  }

  get isServerPending(): boolean {
    return this.#server;
  }

  /** Folders hinted at that nobody has looked at yet. */
  get folders(): ReadonlySet<string> {
    return this.#paths;
  }

  get isEverythingPending(): boolean {
    return this.#everything;
  }

  /** Takes what is to be looked at on disk; `doneWithDisk` or `giveBackDisk` must follow. */
  takeDisk(): Look {
    const recursive = this.#everything;
    const paths = recursive ? new Set(['']) : this.#paths;
    for (const path of this.#paths) this.#takenPaths.add(path);
    this.#tookEverything ||= recursive;
    this.#everything = false;
    this.#paths = new Set();
    return { paths, recursive };
  }

  /** Takes hints that came while a look is under way. */
  takeLate(): ReadonlySet<string> {
    const late = this.#paths;
    for (const path of late) this.#takenPaths.add(path);
    this.#paths = new Set();
    return late;
  }

  doneWithDisk(): void {
    this.#takenPaths.clear();
    this.#tookEverything = false;
  }

  giveBackDisk(): void {
    for (const path of this.#takenPaths) this.#paths.add(path);
    this.#everything ||= this.#tookEverything;
    this.doneWithDisk();
  }

  takeServer(): void {
    this.#server = false;
  }
}
