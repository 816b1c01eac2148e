/** SHA-256 (FIPS 180-4) without waiting, for the few small things that browsers would hash only asynchronously. */

const ROUNDS = 64;
const BLOCK_BYTES = 64;
/** Padding is a set bit and the length in bits as 64 bits. */
const PADDING_BYTES = 9;

const K = new Uint32Array(ROUNDS);
const START = new Uint32Array(8);
fillConstants();

const schedule = new Int32Array(ROUNDS);

/** The first 32 bits of the fractional parts of roots of the first primes, which is where the constants come from. */
function fillConstants(): void {
  let found = 0;
  for (let candidate = 2; found < ROUNDS; candidate++) {
    let isPrime = true;
    for (let factor = 2; factor * factor <= candidate; factor++)
      if (candidate % factor === 0) isPrime = false;
    if (!isPrime) continue;
    const fraction = (root: number) => ((root - Math.floor(root)) * 2 ** 32) >>> 0;
    if (found < START.length) START[found] = fraction(Math.sqrt(candidate));
    K[found++] = fraction(Math.cbrt(candidate));
  }
}

/** 32 bytes. Several times slower than what the browser has, so not for contents. */
export function sha256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const state = Int32Array.from(START);
  const whole = bytes.length - (bytes.length % BLOCK_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 0; offset < whole; offset += BLOCK_BYTES) compress(state, view, offset);

  const rest = bytes.length - whole;
  const tail = new DataView(
    new ArrayBuffer(rest + PADDING_BYTES > BLOCK_BYTES ? 2 * BLOCK_BYTES : BLOCK_BYTES),
  );
  for (let index = 0; index < rest; index++) tail.setUint8(index, bytes[whole + index] as number);
  tail.setUint8(rest, 0x80);
  tail.setUint32(tail.byteLength - 8, Math.floor(bytes.length / 2 ** 29));
  tail.setUint32(tail.byteLength - 4, (bytes.length << 3) >>> 0);
  for (let offset = 0; offset < tail.byteLength; offset += BLOCK_BYTES) compress(state, tail, offset);

  const digest = new Uint8Array(32);
  const out = new DataView(digest.buffer);
  for (let index = 0; index < state.length; index++) out.setInt32(index * 4, state[index] as number);
  return digest;
}

function compress(state: Int32Array, view: DataView, offset: number): void {
  const w = schedule;
  for (let index = 0; index < 16; index++) w[index] = view.getInt32(offset + index * 4);
  for (let index = 16; index < ROUNDS; index++) {
    const x = w[index - 15] as number;
    const y = w[index - 2] as number;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[index] = ((w[index - 16] as number) + s0 + (w[index - 7] as number) + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let index = 0; index < ROUNDS; index++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const choice = (e & f) ^ (~e & g);
    const t1 = (h + s1 + choice + (K[index] as number) + (w[index] as number)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + s0 + majority) | 0;
  }
  const sums = [a, b, c, d, e, f, g, h];
  for (let index = 0; index < sums.length; index++) {
    state[index] = ((state[index] as number) + (sums[index] as number)) | 0;
  }
}
