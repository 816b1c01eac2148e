import { Buffer } from 'node:buffer';
import {
  constants,
  createZstdCompress,
  createZstdDecompress,
  type ZstdOptions,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib';

/**
 * zstd's own memory, made once and used for every small block. Node's one-shot functions make and free it each time,
 * which costs four times as much as a block of a few KiB itself does. A stream of Node holds such memory but has no
 * public way to be used again, so its inner handle is; where that is missing, or does anything but take all and
 * give all, the public functions do the work and report what is wrong.
 */
export interface ZstdContexts {
  /**
   * One frame.
   * @param into memory for it; the result is elsewhere where the frame is as large as that, or larger
   */
  compress(bytes: Uint8Array, into?: Uint8Array): Uint8Array;
  /**
   * The inverse, with `plainBytes` at most. Throws Node's errors.
   * @param into memory for it, with room for one byte more; the result may be elsewhere all the same
   */
  decompress(bytes: Uint8Array, plainBytes: number, into?: Uint8Array): Uint8Array;
}

/**
 * Every block. Large ones gain no time, but Node's one-shot functions gather them in pieces that all are garbage
 * outside of the heap.
 */
const MAX_REUSED_BYTES = 3 * 1024 * 1024;
const FIRST_SCRATCH_BYTES = 256 * 1024;
/** Level 1 is the fast one. -1 would silently mean "default" in Node and is 3. */
const COMPRESSION: ZstdOptions = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
/** 8 MiB: more than any block; a frame may not make the decoder reserve a larger window. */
const DECOMPRESSION: ZstdOptions = { params: { [constants.ZSTD_d_windowLogMax]: 23 } };

/** The part of Node's stream of zlib that is not public. */
interface InnerHandle {
  reset(): void;
  writeSync(
    flush: number,
    input: Uint8Array,
    inputOffset: number,
    inputBytes: number,
    output: Uint8Array,
    outputOffset: number,
    outputBytes: number,
  ): void;
}

interface Context {
  /** Bytes that came out, or `null` when not all went in, when there was no room for all, or when it failed. */
  run(input: Uint8Array, output: Uint8Array): number | null;
}

function createContext(create: () => unknown): Context | null {
  const stream = create() as {
    readonly _handle?: Partial<InnerHandle>;
    readonly _writeState?: unknown;
    on(event: 'error', listener: () => void): void;
  };
  const { _handle: handle, _writeState: left } = stream;
  if (typeof handle?.reset !== 'function' || typeof handle.writeSync !== 'function') return null;
  if (!(left instanceof Uint32Array) || left.length < 2) return null;
  let failed = false;
  // What fails is done again by the public function, whose error is the one that is told.
  stream.on('error', () => {
    failed = true;
  });
  const inner = handle as InnerHandle;
  return {
    run(input, output) {
      if (failed) return null;
      left[0] = left[1] = 0xffff_ffff;
      inner.reset();
      inner.writeSync(constants.ZSTD_e_end, input, 0, input.length, output, 0, output.length);
      const [outputLeft = 0, inputLeft = 0] = left;
      return inputLeft === 0 && outputLeft <= output.length ? output.length - outputLeft : null;
    },
  };
}

/** Whether this runtime's contexts can be used again: a few bytes make the way there and back, and damage is seen. */
function works(compressor: Context, decompressor: Context): boolean {
  const plain = Buffer.from('the same bytes come back, the same bytes come back, and again');
  const packed = new Uint8Array(200);
  for (let round = 0; round < 2; round++) {
    const length = compressor.run(plain, packed);
    if (length === null) return false;
    const back = new Uint8Array(plain.length);
    if (decompressor.run(packed.subarray(0, length), back) !== plain.length) return false;
    if (Buffer.compare(back, plain) !== 0) return false;
    if (Buffer.compare(zstdCompressSync(plain, COMPRESSION), packed.subarray(0, length)) !== 0) return false;
  }
  return true;
}

function createReused(): { readonly compressor: Context; readonly decompressor: Context } | null {
  const compressor = createContext(() => createZstdCompress(COMPRESSION));
  const decompressor = createContext(() => createZstdDecompress(DECOMPRESSION));
  const usable = compressor !== null && decompressor !== null && works(compressor, decompressor);
  return usable ? { compressor, decompressor } : null;
}

export function createZstdContexts(): ZstdContexts {
  /** `undefined` before the first use, and after something failed: then a new one is made for the next block. */
  let reused: ReturnType<typeof createReused> | undefined;
  let scratch: Uint8Array | undefined;

  function scratchFor(sizeBytes: number): Uint8Array {
    if (scratch === undefined || scratch.length < sizeBytes)
      scratch = new Uint8Array(sizeBytes <= FIRST_SCRATCH_BYTES ? FIRST_SCRATCH_BYTES : MAX_REUSED_BYTES);
    return scratch;
  }

  return {
    compress(bytes, into) {
      if (reused === undefined) reused = createReused();
      if (reused !== null && bytes.length <= MAX_REUSED_BYTES) {
        const output = into !== undefined && into.length >= bytes.length ? into : scratchFor(bytes.length);
        const length = reused.compressor.run(bytes, output);
        // At the very end of the output nobody knows whether that was all.
        if (length !== null && length < output.length)
          return output === into ? output.subarray(0, length) : output.slice(0, length);
        reused = undefined;
      }
      // The copy frees the larger buffer that zlib's result is a part of.
      return new Uint8Array(zstdCompressSync(bytes, COMPRESSION));
    },
    decompress(bytes, plainBytes, into) {
      if (reused === undefined) reused = createReused();
      if (reused !== null && plainBytes > 0 && plainBytes <= MAX_REUSED_BYTES) {
        // One byte of room is left, or a frame of more bytes would look like one of these.
        const hasRoom = into !== undefined && into.length > plainBytes;
        const output = hasRoom ? into.subarray(0, plainBytes + 1) : Buffer.allocUnsafe(plainBytes + 1);
        if (reused.decompressor.run(bytes, output) === plainBytes) return output.subarray(0, plainBytes);
        reused = undefined;
      }
      return zstdDecompressSync(bytes, { ...DECOMPRESSION, maxOutputLength: Math.max(plainBytes, 1) });
    },
  };
}
