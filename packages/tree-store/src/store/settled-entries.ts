import type { EntryId } from '@cairn/model';
import { createChildIndex } from './child-index.ts';
import type { PackedNode, StoredEntry } from './packed-node.ts';
import { DamagedStore, type SettledPage } from './persistence.ts';
import {
  areOfSameEntry,
  areSiblings,
  canSettle,
  hashIn,
  hashText,
  isRowOf,
  MAX_ROW_BYTES,
  measureRow,
  SettledRow,
  writeRow,
} from './settled-row.ts';

/** Rows are kept in pieces of memory of this size. */
const PIECE_BITS = 16;
const PIECE_BYTES = 1 << PIECE_BITS;
const IN_PIECE = PIECE_BYTES - 1;
/** So that places are numbers of 32 bits, and none is `GONE`. */
const MAX_PIECES = 2 ** (32 - PIECE_BITS) - 1;
/** What is left behind is given back once it is this much, and as much as what is kept. */
const WORTH_BYTES = 1024 * 1024;
const LEAST_SLOTS = 1024;
const GONE = 0xffff_ffff;
/** Rows that are stored together: so many that it pays, and so few that a change of one writes little. */
const PAGE_BITS = 6;
const ROWS_IN_PAGE = 1 << PAGE_BITS;
const MAX_ROWS = 2 ** 26;
/** In a slot of the index: nothing there now, but what is looked for may be in the next. */
const WAS_TAKEN = -1;

/**
 * Entries on which the three trees agree, once for all three of them. At rest those are nearly all; a tree has only the
 * others for itself.
 */
export interface SettledEntries {
  readonly size: number;
  has(entryId: EntryId): boolean;
  /** @param isLocal whether as the local tree has it; the other two say the same */
  sketch(entryId: EntryId, isLocal: boolean): SettledRow | undefined;
  /** All that are settled when it begins; where one is not any more when its turn comes, what `instead` says. */
  sketches<Other>(
    isLocal: boolean,
    instead: (entryId: EntryId) => Other | undefined,
  ): Iterable<SettledRow | Other>;
  /** Ids of all, whatever changes while they are gone through. */
  ids(): EntryId[];
  children(parentId: EntryId): EntryId[];
  childSketches(parentId: EntryId, isLocal: boolean): SettledRow[];
  named(parentId: EntryId, foldedName: string): EntryId[];
  /** Takes the entry in if the three say the same and it can be kept here. */
  add(entry: StoredEntry): boolean;
  /** Takes the entry out and returns what was known of it. */
  remove(entryId: EntryId): { readonly remote: PackedNode; readonly local: PackedNode } | undefined;
  /** Lets go of the indexes of names. */
  forgetNames(): void;
  /** Takes in what is stored, into nothing, pages in the order of their numbers. Throws {@link DamagedStore}. */
  load(page: SettledPage): void;
  /** After the last `load`. */
  finishLoading(): void;
  /** Pages that came to hold something else since they were last forgotten. */
  changedPages(): SettledPage[];
  forgetChangedPages(): void;
}

export function createSettledEntries(): SettledEntries {
  let pieces: Buffer[] = [];
  let usedInLast = PIECE_BYTES;
  let writtenBytes = 0;
  let keptBytes = 0;
  const scratch = Buffer.alloc(MAX_ROW_BYTES);

  /** Where each row is: its piece and its place there in one number. */
  let places = new Uint32Array(LEAST_SLOTS);
  let rows = 0;
  const free: number[] = [];
  const changed = new Set<number>();
  /** Which row an id has, plus one: open addressing, at most half full. */
  let slots = new Int32Array(2 * LEAST_SLOTS);
  let takenSlots = 0;

  const children = createChildIndex<number>((row) => sketchOf(row, false).name);
  /** Whose parent was looked up last: an entry mostly lies in the same folder as the one before it. */
  let latest: { readonly piece: Buffer; readonly place: number; readonly parentId: EntryId } | null = null;

  function parentOf(row: number): EntryId {
    const place = places[row] as number;
    const [piece, inPiece] = [pieces[place >>> PIECE_BITS] as Buffer, place & IN_PIECE];
    if (latest === null || !areSiblings(piece, inPiece, latest.piece, latest.place))
      latest = { piece, place: inPiece, parentId: sketchOf(row, false).parentId };
    return latest.parentId;
  }

  function sketchOf(row: number, isLocal: boolean): SettledRow {
    const place = places[row] as number;
    return new SettledRow(pieces[place >>> PIECE_BITS] as Buffer, place & IN_PIECE, isLocal);
  }

  function slotOf(entryId: EntryId): number {
    const mask = slots.length - 1;
    for (let slot = hashText(entryId) & mask; ; slot = (slot + 1) & mask) {
      const held = slots[slot] as number;
      if (held === 0) return -1;
      if (held === WAS_TAKEN) continue;
      const place = places[held - 1] as number;
      if (isRowOf(pieces[place >>> PIECE_BITS] as Buffer, place & IN_PIECE, entryId)) return slot;
    }
  }

  function rowOf(entryId: EntryId): number {
    const slot = slotOf(entryId);
    return slot < 0 ? -1 : (slots[slot] as number) - 1;
  }

  /** Returns whether another row of the same entry is in the index already. */
  function index(row: number): boolean {
    const mask = slots.length - 1;
    const place = places[row] as number;
    const [piece, inPiece] = [pieces[place >>> PIECE_BITS] as Buffer, place & IN_PIECE];
    let slot = hashIn(piece, inPiece) & mask;
    for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const held = slots[slot] as number;
      if (held === WAS_TAKEN) continue;
      const other = places[held - 1] as number;
      if (areOfSameEntry(piece, inPiece, pieces[other >>> PIECE_BITS] as Buffer, other & IN_PIECE))
        return true;
    }
    slots[slot] = row + 1;
    takenSlots++;
    return false;
  }

  /** Returns whether there was another row of the same entry. */
  function fill(row: number, place: number): boolean {
    places[row] = place;
    if (index(row)) return true;
    children.add(parentOf(row), row);
    return false;
  }

  function pageOf(page: number): SettledPage {
    const held: Uint8Array[] = [];
    for (let row = page << PAGE_BITS; row < Math.min(rows, (page + 1) << PAGE_BITS); row++)
      if (places[row] !== GONE) held.push(sketchOf(row, false).bytes);
    return { page, rows: Buffer.concat(held) };
  }

  function growTo(count: number): void {
    if (count <= places.length) return;
    const more = new Uint32Array(Math.max(count, 2 * places.length));
    more.set(places);
    places = more;
  }

  function makeRoomInIndex(): void {
    if (2 * (takenSlots + 1) <= slots.length) return;
    const kept = rows - free.length;
    let size = 2 * LEAST_SLOTS;
    while (size < 3 * (kept + 1)) size *= 2;
    slots = new Int32Array(size);
    takenSlots = 0;
    for (let row = 0; row < rows; row++) if (places[row] !== GONE) index(row);
  }

  function keep(bytes: Uint8Array): number {
    if (usedInLast + bytes.length > PIECE_BYTES) {
      pieces.push(Buffer.allocUnsafeSlow(PIECE_BYTES));
      usedInLast = 0;
    }
    const last = pieces.length - 1;
    (pieces[last] as Buffer).set(bytes, usedInLast);
    const place = ((last << PIECE_BITS) | usedInLast) >>> 0;
    usedInLast += bytes.length;
    writtenBytes += bytes.length;
    keptBytes += bytes.length;
    return place;
  }

  /** Makes what was read a piece as it is: copying it into fresh memory costs more than all that is done with it. */
  function adopt(bytes: Buffer): (from: number, length: number) => number {
    if (bytes.length > PIECE_BYTES || pieces.length > MAX_PIECES / 2)
      return (from, length) => keep(bytes.subarray(from, from + length));
    const piece = pieces.push(bytes) - 1;
    usedInLast = PIECE_BYTES;
    writtenBytes += bytes.length;
    keptBytes += bytes.length;
    return (from) => ((piece << PIECE_BITS) | from) >>> 0;
  }

  /** Copies what is kept. Who still looks at what was before has it as it was. */
  function giveBack(): void {
    if (writtenBytes - keptBytes < Math.max(WORTH_BYTES, keptBytes)) return;
    const before = pieces;
    pieces = [];
    usedInLast = PIECE_BYTES;
    writtenBytes = 0;
    keptBytes = 0;
    for (let row = 0; row < rows; row++) {
      const place = places[row] as number;
      if (place === GONE) continue;
      const from = before[place >>> PIECE_BITS] as Buffer;
      places[row] = keep(new SettledRow(from, place & IN_PIECE, false).bytes);
    }
  }

  function newRow(): number {
    const freed = free.pop();
    if (freed !== undefined) return freed;
    growTo(rows + 1);
    return rows++;
  }

  return {
    get size() {
      return rows - free.length;
    },
    has: (entryId) => slotOf(entryId) >= 0,
    sketch(entryId, isLocal) {
      const row = rowOf(entryId);
      return row < 0 ? undefined : sketchOf(row, isLocal);
    },
    *sketches(isLocal, instead) {
      const [piecesThen, placesThen] = [pieces, places.slice(0, rows)];
      for (const [row, place] of placesThen.entries()) {
        if (place === GONE) continue;
        const sketch = new SettledRow(piecesThen[place >>> PIECE_BITS] as Buffer, place & IN_PIECE, isLocal);
        if (pieces === piecesThen && places[row] === place) {
          yield sketch;
          continue;
        }
        const other = instead(sketch.entryId);
        if (other !== undefined) yield other;
      }
    },
    ids() {
      const ids: EntryId[] = [];
      for (let row = 0; row < rows; row++) if (places[row] !== GONE) ids.push(sketchOf(row, false).entryId);
      return ids;
    },
    children: (parentId) => children.children(parentId).map((row) => sketchOf(row, false).entryId),
    childSketches: (parentId, isLocal) => children.children(parentId).map((row) => sketchOf(row, isLocal)),
    named: (parentId, foldedName) =>
      children.named(parentId, foldedName).map((row) => sketchOf(row, false).entryId),
    add(entry) {
      const { remote, local } = entry;
      if (remote === undefined || local === undefined || !canSettle(entry)) return false;
      if (pieces.length >= MAX_PIECES || rows >= MAX_ROWS) return false;
      const length = writeRow(scratch, remote, local);
      if (length === 0) return false;
      makeRoomInIndex();
      const row = newRow();
      fill(row, keep(scratch.subarray(0, length)));
      changed.add(row >> PAGE_BITS);
      return true;
    },
    forgetNames: () => children.forgetNames(),
    load({ page, rows: stored }) {
      const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.length);
      let row = page * ROWS_IN_PAGE;
      const end = row + ROWS_IN_PAGE;
      if (end > MAX_ROWS || row < rows) throw new DamagedStore('a stored page has a wrong number');
      growTo(end);
      places.fill(GONE, rows, end);
      rows = end;
      const placeOf = adopt(bytes);
      for (let from = 0; from < bytes.length; row++) {
        const length = measureRow(bytes, from);
        if (length === 0 || row === end || pieces.length > MAX_PIECES)
          throw new DamagedStore('a stored row of an entry is damaged');
        makeRoomInIndex();
        if (fill(row, placeOf(from, length))) throw new DamagedStore('an entry is stored twice');
        from += length;
      }
    },
    finishLoading() {
      for (let row = rows - 1; row >= 0; row--) if (places[row] === GONE) free.push(row);
    },
    changedPages: () => [...changed].sort((one, other) => one - other).map(pageOf),
    forgetChangedPages: () => changed.clear(),
    remove(entryId) {
      const slot = slotOf(entryId);
      if (slot < 0) return undefined;
      const row = (slots[slot] as number) - 1;
      const [remote, local] = [sketchOf(row, false), sketchOf(row, true).toPacked()];
      const node = remote.toPacked();
      children.remove(node.parentId, row);
      keptBytes -= remote.bytes.length;
      slots[slot] = WAS_TAKEN;
      places[row] = GONE;
      free.push(row);
      changed.add(row >> PAGE_BITS);
      giveBack();
      // One copy of each string for both.
      return {
        remote: node,
        local: { ...local, entryId, parentId: node.parentId, name: node.name, content: node.content },
      };
    },
  };
}
