import { type BlockId, isCairnError, type JournalChange, type SpaceId } from '@cairn/model';
import { encodePack } from '@cairn/protocol';
import type { Principal } from '@cairn/services';
import type { RouteContext } from '../../../../foundation/route-context.ts';

/** A longer page is read by who catches up: what it needs is asked for in packs, side by side. */
const MAX_CHANGES = 8;

/**
 * The blocks of what others made or wrote in a short page of changes, where they are small: who reads such a page is likely
 * to ask for them next, and for a small file that question is half of the way.
 * @returns a pack as base64; `undefined` where there is nothing, or not all of it can be read: then it is asked for
 */
export async function packInlineBlocks(
  { data, environment }: Pick<RouteContext, 'data' | 'environment'>,
  principal: Principal,
  spaceId: SpaceId,
  changes: readonly JournalChange[],
  maxBytes: number,
): Promise<string | undefined> {
  if (changes.length > MAX_CHANGES || maxBytes === 0) return undefined;
  const blockIds = new Set<BlockId>();
  let bytes = 0;
  for (const { kind, entry, deviceId } of changes) {
    if (deviceId === principal.deviceId || entry?.kind !== 'file') continue;
    if (kind !== 'create' && kind !== 'update') continue;
    const { depth, parts } = entry.content.manifest;
    const [part] = parts;
    if (depth > 0 || parts.length !== 1 || part === undefined || blockIds.has(part.block)) continue;
    if (bytes + part.sizeBytes > maxBytes) continue;
    bytes += part.sizeBytes;
    blockIds.add(part.block);
  }
  if (blockIds.size === 0) return undefined;
  try {
    const blocks = await Array.fromAsync(await data.blocks.readBlocks(principal, spaceId, [...blockIds]));
    return Buffer.concat(encodePack(blocks)).toString('base64');
  } catch (error) {
    if (!isCairnError(error)) throw error;
    environment.log.debug('changes.no-inline-blocks', { spaceId, code: error.code });
    return undefined;
  }
}
