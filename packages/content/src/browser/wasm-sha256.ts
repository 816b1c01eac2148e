import { createSHA256 } from 'hash-wasm';

/** SHA-256 without waiting and without fresh memory: about a fifth of what a processor's own instructions do. */
export async function createWasmSha256(): Promise<(bytes: Uint8Array) => Uint8Array> {
  const hasher = await createSHA256();
  return (bytes) => hasher.init().update(bytes).digest('binary');
}
