import { type ContentPlatform, listChunks } from '@cairn/content';
import { type BlockId, CairnError, type FileContent, type ManifestPart } from '@cairn/model';
import type { Api } from './api.ts';
import { readBaseVersion } from './base-blocks.ts';
import type { BlockReader } from './block-reader.ts';
import type { DeltaReader } from './delta-reader.ts';

/**
 * The chunks of a content in order. Its manifest blocks are read as deltas against those of an older version that it
 * resembles.
 */
export async function* listBeside(
  api: Api,
  platform: ContentPlatform,
  reader: BlockReader,
  deltas: DeltaReader,
  content: FileContent,
  older: FileContent,
  signal: AbortSignal | undefined,
): AsyncGenerator<ManifestPart> {
  const base = await readBaseVersion(api, reader, older, signal);

  async function readAs(blockId: BlockId, bases: readonly BlockId[]): Promise<Uint8Array> {
    if (bases.length === 0) return reader.readManifest(blockId, signal);
    let plain: Uint8Array | null = null;
    const contentBase = {
      basesOf: () => bases,
      read: async (baseId: BlockId) => base.plainOf(baseId) ?? null,
    };
    await deltas.read(
      new Map([[blockId, contentBase]]),
      (_blockId, bytes) => {
        plain = bytes;
      },
      signal,
    );
    if (plain === null) {
      throw new CairnError('server-unreachable', 'the server sent no block. Try again');
    }
    reader.keepManifest(blockId, plain);
    return plain;
  }

  yield* listChunks(platform, content.manifest, async (blockId, { depth, sizeBytes }) => {
    const place = base.placeNext(depth, { block: blockId, sizeBytes });
    const known = reader.findManifest(blockId);
    if (known !== undefined) return known;
    const bases = (place?.bases() ?? []).map(({ block }) => block);
    return readAs(
      blockId,
      bases.filter((baseId) => base.plainOf(baseId) !== undefined),
    );
  });
}
