import { createHash } from 'node:crypto';
import type { ContentId } from '@cairn/model';

/** One content that users wrote. Nearly all are unique, so that each can be followed through the world. */
export interface Value {
  readonly key: string;
  readonly bytes: Uint8Array;
  /** Words for people. */
  readonly label: string;
  /** Can come about more than once (empty files, equal contents on two devices): never missed. */
  readonly isCommon: boolean;
  /** No user has overwritten or removed it anywhere since it was written. */
  isAlive: boolean;
  /** Devices whose users overwrote or removed it. */
  readonly droppedBy: Set<string>;
  /** How the server names it; known some moments after it was written. */
  contentId: ContentId | null;
}

const LARGE_BYTES = 2048;

/** Every content that ever was in a user's file. What is found elsewhere and is not here is torn or made up. */
export class Values {
  readonly #byKey = new Map<string, Value>();
  readonly #keys = new WeakMap<Uint8Array, string>();
  readonly #byContentId = new Map<ContentId, Value>();
  readonly #describe: (bytes: Uint8Array) => Promise<ContentId>;
  #written = 0;

  constructor(describe: (bytes: Uint8Array) => Promise<ContentId>) {
    this.#describe = describe;
  }

  get size(): number {
    return this.#written;
  }

  nextNumber(): number {
    return this.#written++;
  }

  /** Notes that a user wrote this. */
  write(bytes: Uint8Array, label: string, isCommon: boolean): Value {
    const key = computeKey(bytes);
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      // Written again: what comes about by accident cannot be missed.
      const again: Value = { ...known, isCommon: true, isAlive: false };
      this.#put(again);
      return again;
    }
    const value: Value = {
      key,
      bytes: bytes.slice(),
      label,
      isCommon,
      isAlive: !isCommon,
      droppedBy: new Set(),
      contentId: null,
    };
    this.#put(value);
    // The world ends when this fails: it is our own computation.
    void this.#describe(value.bytes).then((contentId) => {
      const present = this.#byKey.get(key) as Value;
      present.contentId = contentId;
      this.#byContentId.set(contentId, present);
    });
    return value;
  }

  findByContentId(contentId: ContentId): Value | undefined {
    return this.#byContentId.get(contentId);
  }

  #put(value: Value): void {
    this.#byKey.set(value.key, value);
    if (value.contentId !== null) this.#byContentId.set(value.contentId, value);
  }

  /** The value that these bytes are; `undefined` for what nobody wrote. */
  find(bytes: Uint8Array): Value | undefined {
    return this.#byKey.get(this.keyOf(bytes));
  }

  /** @param bytes that do not change any more: their key is remembered */
  keyOf(bytes: Uint8Array): string {
    const known = this.#keys.get(bytes);
    if (known !== undefined) return known;
    const key = computeKey(bytes);
    this.#keys.set(bytes, key);
    return key;
  }

  get(key: string): Value | undefined {
    return this.#byKey.get(key);
  }

  /** A user replaced or removed these bytes on a device. */
  drop(bytes: Uint8Array, device: string): void {
    const value = this.find(bytes);
    if (value === undefined) return;
    value.isAlive = false;
    value.droppedBy.add(device);
  }

  *alive(): Generator<Value> {
    for (const value of this.#byKey.values()) if (value.isAlive) yield value;
  }

  all(): Iterable<Value> {
    return this.#byKey.values();
  }
}

function computeKey(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.length <= LARGE_BYTES
    ? buffer.toString('latin1')
    : `${bytes.length}:${createHash('sha256').update(buffer).digest('hex')}`;
}

/** Bytes for people to read. */
export function wordsOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, 60))
    .toString('latin1')
    .replaceAll(/[^ -~]/g, '·');
  return `"${text}"${bytes.length > 60 ? ` (${bytes.length} bytes)` : ''}`;
}
