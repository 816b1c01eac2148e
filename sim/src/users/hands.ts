import type { MemoryUser, TakenItem, UserItem } from '@cairn/filesystem';
import type { Values } from '../checks/values.ts';
import type { Draw } from '../random.ts';

const encoder = new TextEncoder();

/** What makes the hands of a user: everything done with them is also told to who checks that nothing gets lost. */
export interface HandsDeps {
  readonly device: string;
  readonly user: MemoryUser;
  readonly values: Values;
  readonly draw: Draw;
  /** Percent of the contents that are larger than a block. */
  readonly largePercent: number;
  /** No two contents of one size: on some disks only the size tells of a change. */
  readonly uniqueSizes: boolean;
}

/** What was taken out of the folder, and what of it no user had given up. */
interface TakenOut {
  readonly taken: TakenItem;
  readonly alive: readonly Uint8Array[];
}

export class Hands {
  readonly draw: Draw;
  readonly #deps: HandsDeps;

  constructor(deps: HandsDeps) {
    this.#deps = deps;
    this.draw = deps.draw;
  }

  get user(): MemoryUser {
    return this.#deps.user;
  }

  items(): UserItem[] {
    return this.user.walk().sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  has(path: string): boolean {
    try {
      return this.user.find(path) !== null;
    } catch {
      // A folder on the way is none.
      return false;
    }
  }

  /** A content that nobody wrote before; most have one size, so that size tells nothing. */
  freshContent(): { readonly bytes: Uint8Array; readonly label: string } {
    const { values, draw, device, largePercent, uniqueSizes } = this.#deps;
    const number = values.nextNumber();
    const label = `#${String(number).padStart(5, '0')} ${device}`;
    if (!draw.chance(largePercent)) {
      const text = uniqueSizes ? label.padEnd(16 + number, '.') : label;
      return { bytes: encoder.encode(text), label };
    }
    const bytes = new Uint8Array(20_000 + draw.below(200_000));
    let state = number * 2654435761 + 1;
    for (let index = 0; index < bytes.length; index++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      // Half of it compresses.
      bytes[index] = (index & 0x4000) === 0 ? state >>> 24 : 97 + (index % 7);
    }
    bytes.set(encoder.encode(label));
    return { bytes, label: `${label} (${bytes.length} bytes)` };
  }

  /** Writes new content to a file that is there or not. Returns its label. */
  writeFresh(path: string): string {
    const { bytes, label } = this.freshContent();
    this.write(path, bytes, label, false);
    return label;
  }

  write(path: string, bytes: Uint8Array, label: string, isCommon: boolean): void {
    const old = this.#contentsBelow(path);
    this.user.writeFile(path, bytes);
    this.#drop(old);
    this.#deps.values.write(bytes, label, isCommon);
  }

  remove(path: string): void {
    const old = this.#contentsBelow(path);
    this.user.remove(path);
    this.#drop(old);
  }

  rename(from: string, to: string): void {
    const moved = this.user.find(from);
    const there = this.has(to) ? this.user.find(to) : null;
    const overwrites = there !== null && there.inode !== moved?.inode;
    const old = overwrites ? this.#contentsBelow(to) : [];
    this.user.rename(from, to);
    this.#drop(old);
  }

  takeOut(path: string): TakenOut {
    const old = this.#contentsBelow(path);
    const alive = old.filter((bytes) => this.#deps.values.find(bytes)?.isAlive === true);
    const taken = this.user.takeOut(path);
    this.#drop(old);
    return { taken, alive };
  }

  putBack(path: string, { taken, alive }: TakenOut): void {
    this.user.putBack(path, taken);
    for (const bytes of alive) {
      const value = this.#deps.values.find(bytes);
      if (value !== undefined) value.isAlive = true;
    }
  }

  /** Copies a file or a folder with what is in it. */
  copy(from: string, to: string): void {
    const source = this.user.find(from);
    if (source === null) return;
    if (source.kind === 'file' && source.bytes !== null) this.#copyFile(source.bytes, to);
    if (source.kind === 'link' && source.target !== null) this.user.makeLink(to, source.target);
    if (source.kind !== 'folder') return;
    const below = this.items().filter(({ path }) => path.startsWith(`${from}/`));
    this.user.makeFolder(to);
    for (const item of below) {
      const target = to + item.path.slice(from.length);
      if (item.kind === 'folder') this.user.makeFolder(target);
      else if (item.kind === 'link') this.user.makeLink(target, item.target ?? '');
      else if (item.bytes !== null) this.#copyFile(item.bytes, target);
    }
  }

  #copyFile(bytes: Uint8Array, to: string): void {
    const value = this.#deps.values.find(bytes);
    const wasAlive = value?.isAlive === true;
    this.user.writeFile(to, bytes);
    // The copy is a content of its own that happens to be equal.
    if (value !== undefined && wasAlive) value.isAlive = true;
  }

  #contentsBelow(path: string): Uint8Array[] {
    if (!this.has(path)) return [];
    const item = this.user.find(path);
    if (item === null) return [];
    if (item.bytes !== null) return [item.bytes];
    if (item.kind !== 'folder') return [];
    const prefix = `${this.#spelling(path)}/`;
    return this.user
      .walk()
      .filter((each) => each.bytes !== null && each.path.startsWith(prefix))
      .map((each) => each.bytes as Uint8Array);
  }

  /** The path as the disk spells it. */
  #spelling(path: string): string {
    const item = this.user.find(path);
    return (
      this.user.walk().find((each) => each.inode === item?.inode && each.kind === 'folder')?.path ?? path
    );
  }

  #drop(contents: readonly Uint8Array[]): void {
    for (const bytes of contents) this.#deps.values.drop(bytes, this.#deps.device);
  }
}
