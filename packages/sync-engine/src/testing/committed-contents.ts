import { createNodePlatform, describeContent } from '@cairn/content';
import type { ContentId } from '@cairn/model';
import type { TestWorld } from './world.ts';

const platform = createNodePlatform();

/** Every file content that the server was ever given, current or not. */
export async function readCommittedContents(
  { data, principal, spaceId }: TestWorld,
  fromCursor: string,
): Promise<ReadonlySet<ContentId>> {
  const found = new Set<ContentId>();
  for (let cursor = fromCursor; ; ) {
    const page = await data.spaces.readChanges(principal, spaceId, cursor, 2000);
    for (const { entry } of page.changes) if (entry?.kind === 'file') found.add(entry.content.contentId);
    if (!page.more) return found;
    cursor = page.cursor;
  }
}

/** The id that small contents have. */
export async function contentIdOfBytes(bytes: Uint8Array): Promise<ContentId> {
  const source = {
    async read(into: Uint8Array, position: number) {
      const piece = bytes.subarray(position, position + into.length);
      into.set(piece);
      return piece.length;
    },
  };
  return (await describeContent(platform, source, { profile: 't32-64k' })).contentId;
}
