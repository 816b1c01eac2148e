/** What contents need from the platform that they are handled on. All but `sha256Aside` are synchronous. */
export interface ContentPlatform {
  /** 32 bytes. */
  sha256(bytes: Uint8Array): Uint8Array;
  /**
   * As `sha256`, outside of this thread: for the chunks of contents, where that is the fast way; `null` where it is not.
   * The bytes stay as they are until the promise settles.
   */
  sha256Aside?(bytes: Uint8Array): Promise<Uint8Array> | null;
  /** Whether `sha256Aside` is for bytes that lie in a SharedArrayBuffer. */
  readonly sharesMemory?: boolean;
  /**
   * One zstd frame, or `null` when compression is not worth it.
   * @param into memory for it, of at least as many bytes as are given; without, it has memory of its own, and may have all the same
   */
  compress(bytes: Uint8Array, into?: Uint8Array): Uint8Array | null;
  /**
   * The inverse, in `into` where there is such memory, of `plainBytes` and at least one more. Never makes more than `plainBytes` bytes (then, and when the frame is damaged, it throws an
   * error of the platform's own; `openBlock` gives it a code).
   */
  decompress(bytes: Uint8Array, plainBytes: number, into?: Uint8Array): Uint8Array;
}

/**
 * Chunks of smaller files are hashed where they are. V8 does not hurry to collect memory that is shared: where much of it
 * is made, as for many small files, it grows several times as large as any other.
 */
const MIN_SHARED_BYTES = 256 * 1024;

/** Memory for bytes that will be hashed; where the platform's `sha256Aside` can see them, if they are many. */
export function allocateBytes({ sharesMemory }: ContentPlatform, sizeBytes: number): Uint8Array {
  return sharesMemory === true && sizeBytes >= MIN_SHARED_BYTES
    ? new Uint8Array(new SharedArrayBuffer(sizeBytes))
    : new Uint8Array(sizeBytes);
}
