import { fromBufferPromise } from 'yauzl';
import { sha256 } from './other-device.ts';

const NAME_IS_UTF8 = 0x800;

/** Path → SHA-256 of each file in a zip; folders end with a slash. */
export async function hashZip(bytes: Buffer): Promise<Record<string, string>> {
  const zip = await fromBufferPromise(bytes);
  const hashes: Record<string, string> = {};
  for await (const entry of zip.eachEntry()) {
    const { fileName, generalPurposeBitFlag } = entry;
    if (/[^ -~]/.test(fileName) && (generalPurposeBitFlag & NAME_IS_UTF8) === 0) {
      throw new Error(`the zip does not say that ${fileName} is UTF-8`);
    }
    if (fileName in hashes) throw new Error(`${fileName} is twice in the zip`);
    const pieces = await (await zip.openReadStreamPromise(entry)).toArray();
    hashes[fileName] = fileName.endsWith('/') ? 'folder' : sha256(Buffer.concat(pieces));
  }
  return hashes;
}
