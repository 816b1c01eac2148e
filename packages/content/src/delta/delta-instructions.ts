import { CairnError } from '@cairn/model';

/*
 * Instructions of a delta, one after the other, without anything between: a number n in groups of 7 bits, lowest first,
 * the top bit saying that more follow. n even: n/2 bytes follow, which are copied from here. n odd: (n-1)/2 bytes are copied
 * from the bases, which count as one string, from an offset that follows as such a number.
 */
const MAX_NUMBER_BYTES = 4;
const MAX_NUMBER = 2 ** (7 * MAX_NUMBER_BYTES) - 1;

function numberBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4;
}

/** Gathers instructions for bytes that are all in memory. */
export class DeltaWriter {
  readonly #plain: Uint8Array;
  readonly #maxBytes: number;
  /** Triples: length, offset in the bases or -1, start in the plain bytes. */
  readonly #steps: number[] = [];
  #position = 0;
  #bytes = 0;

  /** @param maxBytes a longer result is of no use */
  constructor(plain: Uint8Array, maxBytes: number) {
    this.#plain = plain;
    this.#maxBytes = maxBytes;
  }

  /** Up to where the plain bytes are described. */
  get position(): number {
    return this.#position;
  }

  /** How many of the next bytes can be taken as they are before the result is too long; below 0 when it is that already. */
  get leftBytes(): number {
    return this.#maxBytes - this.#bytes;
  }

  /** The bytes up to `end` are as here. */
  literal(end: number): void {
    const length = end - this.#position;
    if (length <= 0) return;
    this.#steps.push(length, -1, this.#position);
    this.#bytes += numberBytes(length * 2) + length;
    this.#position = end;
  }

  /** The next bytes are in the bases. */
  copy(offset: number, length: number): void {
    if (length <= 0) return;
    const last = this.#steps.length - 3;
    const before = last < 0 ? -1 : (this.#steps[last + 1] as number);
    this.#position += length;
    if (before >= 0 && before + (this.#steps[last] as number) === offset) {
      this.#steps[last] = (this.#steps[last] as number) + length;
      return;
    }
    this.#steps.push(length, offset, 0);
    this.#bytes += 2 * MAX_NUMBER_BYTES;
  }

  /** All instructions, what is not described yet as it is; `null` when they are too long. */
  finish(): Uint8Array | null {
    this.literal(this.#plain.length);
    if (this.leftBytes < 0) return null;
    const steps = this.#steps;
    let size = 0;
    for (let at = 0; at < steps.length; at += 3) {
      const length = steps[at] as number;
      const offset = steps[at + 1] as number;
      size +=
        offset < 0 ? numberBytes(length * 2) + length : numberBytes(length * 2 + 1) + numberBytes(offset);
    }
    const written = new Uint8Array(size);
    let position = 0;
    const put = (value: number): void => {
      let rest = value;
      for (; rest >= 0x80; rest >>>= 7) written[position++] = (rest & 0x7f) | 0x80;
      written[position++] = rest;
    };
    for (let at = 0; at < steps.length; at += 3) {
      const length = steps[at] as number;
      const offset = steps[at + 1] as number;
      if (offset < 0) {
        const start = steps[at + 2] as number;
        put(length * 2);
        written.set(this.#plain.subarray(start, start + length), position);
        position += length;
      } else {
        put(length * 2 + 1);
        put(offset);
      }
    }
    return written;
  }
}

function wrong(problem: string): CairnError {
  return new CairnError('block-wrong', `the delta ${problem}; send the whole block`);
}

/**
 * Follows instructions. Makes exactly `plainBytes` bytes or throws `block-wrong`; whether they are the right ones only
 * their hash says.
 * @param plainBytes already known to be allowed
 */
export function followInstructions(
  bases: readonly Uint8Array[],
  instructions: Uint8Array,
  plainBytes: number,
): Uint8Array {
  const made = new Uint8Array(plainBytes);
  const baseBytes = bases.reduce((sum, { length }) => sum + length, 0);
  let at = 0;
  let position = 0;

  function take(): number {
    let value = 0;
    for (let group = 0; group < MAX_NUMBER_BYTES; group++) {
      if (at >= instructions.length) throw wrong('is cut off');
      const byte = instructions[at++] as number;
      value += (byte & 0x7f) * 2 ** (7 * group);
      if (byte < 0x80) return value;
    }
    throw wrong(`has a number above ${MAX_NUMBER}`);
  }

  while (at < instructions.length) {
    const head = take();
    const length = Math.floor(head / 2);
    if (length === 0) throw wrong('has a step of no bytes');
    if (length > plainBytes - position) throw wrong('makes more bytes than it claims');
    if (head % 2 === 0) {
      if (length > instructions.length - at) throw wrong('is cut off');
      made.set(instructions.subarray(at, at + length), position);
      at += length;
    } else {
      const offset = take();
      if (offset > baseBytes - length) throw wrong('copies from outside of its base');
      copyFrom(bases, offset, made.subarray(position, position + length));
    }
    position += length;
  }
  if (position !== plainBytes) throw wrong('makes fewer bytes than it claims');
  return made;
}

function copyFrom(bases: readonly Uint8Array[], offset: number, into: Uint8Array): void {
  let start = offset;
  let filled = 0;
  for (const base of bases) {
    if (filled === into.length) return;
    if (start < base.length) {
      const span = base.subarray(start, start + into.length - filled);
      into.set(span, filled);
      filled += span.length;
      start = 0;
    } else start -= base.length;
  }
}
