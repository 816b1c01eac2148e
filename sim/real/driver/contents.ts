import { createByteStream } from '@cairn/bench';
import { chooseProfile, createNodePlatform, describeContent } from '@cairn/content';
import type { ScenarioContent } from '../scenario-schema.ts';

const platform = createNodePlatform();
const known = new Map<string, string>();

/** The bytes that a scenario means. */
export function bytesOf(content: ScenarioContent): Buffer {
  return typeof content === 'string' ? Buffer.from(content) : createByteStream(content.seed)(content.bytes);
}

/** Names bytes as the server names them, so that a file, a version and a rescued copy can be compared. */
export async function keyOf(bytes: Uint8Array): Promise<string> {
  const hash = Buffer.from(platform.sha256(bytes)).toString('hex');
  const seen = known.get(hash);
  if (seen !== undefined) return seen;
  const source = {
    async read(into: Uint8Array, position: number) {
      const piece = bytes.subarray(position, position + into.length);
      into.set(piece);
      return piece.length;
    },
  };
  const { contentId } = await describeContent(platform, source, {
    profile: chooseProfile(bytes.length, null),
  });
  known.set(hash, contentId);
  return contentId;
}

export function linkKey(target: string): string {
  return `link:${target}`;
}
