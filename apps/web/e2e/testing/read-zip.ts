import { inflateRawSync } from 'node:zlib';
import { sha256 } from './other-device.ts';

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const DEFLATED = 8;
const NAME_IS_UTF8 = 0x800;

/**
 * Path → SHA-256 of each file in a zip; folders end with a slash. Written for the tests alone, so that what is tested
 * is not what made the zip.
 */
export function hashZip(zip: Buffer): Record<string, string> {
  let end = zip.length - 22;
  while (end >= 0 && zip.readUInt32LE(end) !== END_SIGNATURE) end -= 1;
  if (end < 0) throw new Error('that is no zip');
  const hashes: Record<string, string> = {};
  let at = zip.readUInt32LE(end + 16);
  for (let count = zip.readUInt16LE(end + 10); count > 0; count -= 1) {
    if (zip.readUInt32LE(at) !== ENTRY_SIGNATURE) throw new Error('the list of the zip is broken');
    const method = zip.readUInt16LE(at + 10);
    const [packedBytes, sizeBytes] = [zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 24)];
    const nameEnd = at + 46 + zip.readUInt16LE(at + 28);
    const name = zip.toString('utf8', at + 46, nameEnd);
    if (/[^ -~]/.test(name) && (zip.readUInt16LE(at + 8) & NAME_IS_UTF8) === 0) {
      throw new Error(`the zip does not say that ${name} is UTF-8`);
    }
    const header = zip.readUInt32LE(at + 42);
    const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
    const packed = zip.subarray(start, start + packedBytes);
    const bytes = method === DEFLATED ? inflateRawSync(packed) : packed;
    if (bytes.length !== sizeBytes) throw new Error(`${name} has another size in the zip`);
    if (name in hashes) throw new Error(`${name} is twice in the zip`);
    hashes[name] = name.endsWith('/') ? 'folder' : sha256(bytes);
    at = nameEnd + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return hashes;
}
