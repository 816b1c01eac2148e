import type { EntryId } from '@cairn/model';
import { hashText } from '@cairn/tree-store';

/** Every entry id has this form, see `createOrderedId`. */
const ID_LENGTH = 26;
const LEAST_RECORDS = 1024;
/** In a slot: nothing there now, but what is looked for may be in the next. */
const WAS_TAKEN = -1;

/**
 * Which entry was last seen with an identity, for each identity: a hash and an id, 45 bytes, where a map of strings takes 170.
 * What else is to be known of an entry, the tree knows.
 */
export class IdentityIndex {
  readonly #identityOf: (entryId: EntryId) => string | null;
  #hashes = new Uint32Array(LEAST_RECORDS);
  #ids = Buffer.alloc(LEAST_RECORDS * ID_LENGTH);
  #records = 0;
  readonly #free: number[] = [];
  /** Which record, plus one: open addressing, at most half full. */
  #slots = new Int32Array(2 * LEAST_RECORDS);
  #takenSlots = 0;

  /** @param identityOf what the tree says now; `null` where it has no such entry */
  constructor(identityOf: (entryId: EntryId) => string | null) {
    this.#identityOf = identityOf;
  }

  get(identity: string): EntryId | undefined {
    const slot = this.#find(identity);
    return slot < 0 ? undefined : this.#idAt((this.#slots[slot] as number) - 1);
  }

  set(identity: string, entryId: EntryId): void {
    if (entryId.length !== ID_LENGTH) throw new Error(`"${entryId}" has not the form of an entry id`);
    const slot = this.#find(identity);
    if (slot >= 0) {
      this.#write((this.#slots[slot] as number) - 1, entryId);
      return;
    }
    this.#makeRoom();
    const record = this.#free.pop() ?? this.#records++;
    this.#hashes[record] = hashText(identity);
    this.#write(record, entryId);
    this.#take(record);
  }

  /** Before the tree forgets what the entry's identity was. */
  delete(identity: string): void {
    const slot = this.#find(identity);
    if (slot < 0) return;
    this.#free.push((this.#slots[slot] as number) - 1);
    this.#slots[slot] = WAS_TAKEN;
  }

  #find(identity: string): number {
    const hash = hashText(identity);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const held = this.#slots[slot] as number;
      if (held === 0) return -1;
      if (held === WAS_TAKEN || this.#hashes[held - 1] !== hash) continue;
      if (this.#identityOf(this.#idAt(held - 1)) === identity) return slot;
    }
  }

  #idAt(record: number): EntryId {
    return this.#ids.toString('latin1', record * ID_LENGTH, (record + 1) * ID_LENGTH) as EntryId;
  }

  #write(record: number, entryId: EntryId): void {
    this.#ids.write(entryId, record * ID_LENGTH, 'latin1');
  }

  #take(record: number): void {
    const mask = this.#slots.length - 1;
    let slot = (this.#hashes[record] as number) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = record + 1;
    this.#takenSlots++;
  }

  #makeRoom(): void {
    if (this.#free.length === 0 && this.#records === this.#hashes.length) {
      const hashes = new Uint32Array(2 * this.#records);
      hashes.set(this.#hashes);
      this.#hashes = hashes;
      this.#ids = Buffer.concat([this.#ids], 2 * this.#ids.length);
    }
    if (2 * (this.#takenSlots + 1) <= this.#slots.length) return;
    const before = this.#slots;
    const kept = this.#records - this.#free.length;
    let size = 2 * LEAST_RECORDS;
    while (size < 3 * (kept + 1)) size *= 2;
    this.#slots = new Int32Array(size);
    this.#takenSlots = 0;
    for (const held of before) if (held > 0) this.#take(held - 1);
  }
}
