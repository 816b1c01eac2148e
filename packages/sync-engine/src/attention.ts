import { Wake } from './wake.ts';

/** What a scan is asked to look at. */
export interface Look {
  readonly paths: ReadonlySet<string>;
  readonly recursive: boolean;
}

/** Moves that are remembered; with more, everything is looked at once instead. */
const MAX_MOVES = 256;
/**
 * Places that one path may have become: folders that were moved into one another in turn could each be in any other, and
 * the places would double with each move. Of more than these none is looked at alone.
 */
const MAX_PLACES = 64;
/** Folders that are looked at alone. */
const MAX_PATHS = 20_000;

interface Move {
  readonly from: string;
  readonly to: string;
}

/** The path and all that it may have become by these moves; another folder may have its name by now. `null`: too much. */
function follow(path: string, moves: Iterable<Move>): ReadonlySet<string> | null {
  const places = new Set([path]);
  for (const { from, to } of moves) {
    for (const place of [...places])
      if (place === from || place.startsWith(`${from}/`)) places.add(to + place.slice(from.length));
    if (places.size > MAX_PLACES) return null;
  }
  return places;
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
  /** The server has told that its journal is this far. */
  #hinted = 0;
  #stirred: ReadonlySet<string> | null = null;
  #takenPaths = new Set<string>();
  #tookEverything = false;
  /** What the engine moved itself since everything was looked at last: hints of what was done before may come later. */
  #moves: Move[] = [];

  folder(path: string): void {
    this.#add(follow(path, this.#moves));
  }

  /** The engine moved a folder: what was hinted at below its old place, or still will be, is at the new one. */
  moved(from: string, to: string): void {
    const move = { from, to };
    for (const path of [...this.#paths]) this.#add(follow(path, [move]));
    this.#moves.push(move);
    if (this.#moves.length > MAX_MOVES) this.#lookAtEverything();
  }

  #add(places: ReadonlySet<string> | null): void {
    for (const place of places ?? []) this.#paths.add(place);
    if (places === null || this.#paths.size > MAX_PATHS) this.#lookAtEverything();
  }

  /** Instead of following what may be anywhere. */
  #lookAtEverything(): void {
    this.#paths.clear();
    this.#moves = [];
    this.#everything = true;
  }

  everything(): void {
    this.#everything = true;
  }

  /** Something may just have changed in these folders. Where nobody waits for anything, that is worth an early look. */
  stirred(paths: ReadonlySet<string>): void {
    this.#stirred = paths;
    this.wake.stir();
  }

  /** The folders in which something stirred since this was asked last, with nothing else to be looked at. */
  takeStirred(): ReadonlySet<string> | null {
    const paths = this.#stirred;
    this.#stirred = null;
    return this.isDiskPending ? null : paths;
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

  /** The server's journal has reached this sequence. */
  serverReached(sequence: number): void {
    this.#hinted = Math.max(this.#hinted, sequence);
  }

  /** The journal is known up to here: hints of that were of what this device committed itself. */
  serverKnown(sequence: number): void {
    if (this.#hinted <= sequence) this.#hinted = 0;
  }

  get isPending(): boolean {
    return this.isDiskPending || this.isServerPending;
  }

  get isDiskPending(): boolean {
    return this.#everything || this.#sweep || this.#paths.size > 0;
  }

  get isServerPending(): boolean {
    return this.#server || this.#hinted > 0;
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
    if (recursive) this.#moves = [];
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
    this.#hinted = 0;
  }
}
