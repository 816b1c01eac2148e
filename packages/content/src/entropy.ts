const SAMPLES = 4;
const SAMPLE_BYTES = 1024;

/**
 * Order-0 entropy in bits per byte of a few samples spread over `bytes`. Encrypted and already compressed data
 * show 7.9 and more, programs up to 6.5, text up to 5.3. Costs a few microseconds whatever the size.
 */
export function estimateEntropy(bytes: Uint8Array): number {
  const counts = new Uint32Array(256);
  let total = 0;
  const step = (bytes.length - SAMPLE_BYTES) / (SAMPLES - 1);
  const spread = bytes.length > SAMPLES * SAMPLE_BYTES;
  for (let sample = 0; sample < (spread ? SAMPLES : 1); sample++) {
    const from = spread ? Math.floor(sample * step) : 0;
    const to = spread ? from + SAMPLE_BYTES : bytes.length;
    for (let index = from; index < to; index++) {
      counts[bytes[index] as number] = (counts[bytes[index] as number] as number) + 1;
    }
    total += to - from;
  }
  let entropy = 0;
  for (const count of counts) {
    if (count > 0) entropy -= (count / total) * Math.log2(count / total);
  }
  return entropy;
}
