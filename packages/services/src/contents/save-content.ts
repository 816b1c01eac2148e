import { chooseProfile, cutContent, encodeNamedBlock, parseManifestBlock } from '@cairn/content';
import type { ChunkProfile, FileContent, SpaceId } from '@cairn/model';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import { createBlockSaver } from './block-saver.ts';
import { createByteSource } from './byte-source.ts';

export interface SaveContentOptions {
  readonly sizeBytes?: number | undefined;
  /** How the version before was cut, so that unchanged chunks are shared with it. */
  readonly baseProfile: ChunkProfile | null;
  readonly signal?: AbortSignal | undefined;
}

/** Cuts a stream of bytes and stores its blocks, leased to the user; bounded memory whatever the length. */
export async function saveContent(
  dependencies: DataDependencies,
  principal: Principal,
  spaceId: SpaceId,
  pieces: AsyncIterable<Uint8Array>,
  options: SaveContentOptions,
): Promise<FileContent> {
  const { platform } = dependencies;
  const { sizeBytes, baseProfile, signal } = options;
  const source = createByteSource(pieces, sizeBytes);
  const saver = createBlockSaver(dependencies, principal, spaceId);
  try {
    const content = await cutContent(platform, source, {
      profile: chooseProfile(sizeBytes ?? 0, baseProfile),
      signal,
      async emit({ blockId, kind, plain }) {
        const block = encodeNamedBlock(platform, blockId, kind, plain);
        if (kind === 'chunk') return saver.add({ block, depth: 0, parts: null });
        const { depth, parts } = parseManifestBlock(plain);
        return saver.add({ block, depth: depth + 1, parts });
      },
    });
    await saver.finish();
    return content;
  } finally {
    await saver.settle();
    await source.close();
  }
}
