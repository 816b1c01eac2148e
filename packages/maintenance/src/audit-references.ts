import type { BlockStore } from '@cairn/block-store';
import type { MetadataStore, ReferencePlace } from '@cairn/metadata-store';
import { type BlockId, isCairnError, type SpaceId } from '@cairn/model';

export interface DanglingReference {
  readonly spaceId: SpaceId;
  readonly blockId: BlockId;
  /**
   * `condemned`: its delete has begun. `absent`: the block store has it not, or damaged. `unlisted`: a manifest block of
   * the space lists it, and the space does not refer to it.
   */
  readonly problem: 'condemned' | 'absent' | 'unlisted';
}

export interface AuditOptions {
  readonly signal?: AbortSignal;
  readonly batchReferences?: number;
  /** Problems in the answer, at most; `dangling` counts all. */
  readonly maxExamples?: number;
}

export interface AuditReport {
  readonly references: number;
  /** Must be 0. */
  readonly dangling: number;
  /** References to blocks that may be on a storage node that does not answer. They are no damage. */
  readonly unavailable: number;
  readonly examples: readonly DanglingReference[];
}

const BATCH_REFERENCES = 500;
const MAX_EXAMPLES = 100;

/**
 * Walks all references of all spaces and tells those that do not lead to a block in use. Writes nothing. What the block
 * store has is asked, and read only where the answer is no: rot is the scrub's matter.
 * @throws errors of the stores; the signal's reason
 */
export async function auditReferences(
  { store, blocks }: { readonly store: MetadataStore; readonly blocks: BlockStore },
  options: AuditOptions = {},
): Promise<AuditReport> {
  const { batchReferences = BATCH_REFERENCES, maxExamples = MAX_EXAMPLES, signal } = options;
  const examples: DanglingReference[] = [];
  let references = 0;
  let dangling = 0;
  let unavailable = 0;

  function tell(spaceId: SpaceId, blockId: BlockId, problem: DanglingReference['problem']): void {
    dangling += 1;
    if (examples.length < maxExamples) examples.push({ spaceId, blockId, problem });
  }

  /** Nodes that do not answer are passed over by a question for many; a read says whether one of them may have it. */
  async function isAbsent(blockId: BlockId): Promise<boolean> {
    try {
      return (await blocks.get(blockId)) === null;
    } catch (error) {
      if (isCairnError(error, 'data-damaged')) return true;
      if (!isCairnError(error, 'unavailable')) throw error;
      unavailable += 1;
      return false;
    }
  }

  let after: ReferencePlace | null = null;
  do {
    signal?.throwIfAborted();
    const from: ReferencePlace | null = after;
    // One snapshot for a manifest block and what it lists, or a commit in between would look like damage.
    const page = await store.read(async (reader) => {
      const found = await reader.pageReferences(from, batchReferences);
      for (const { spaceId, blockId, kind } of found.references) {
        if (kind !== 'manifest') continue;
        const [record] = await reader.getBlocks([blockId]);
        const parts = (record?.parts ?? []).map((part) => part.block);
        const held = await reader.hasReferences(spaceId, parts);
        for (const [place, part] of parts.entries()) {
          if (held[place] !== true) tell(spaceId, part, 'unlisted');
        }
      }
      return found;
    });
    const present = await blocks.has(page.references.map(({ blockId }) => blockId));
    for (const [place, { spaceId, blockId, condemned }] of page.references.entries()) {
      if (condemned) tell(spaceId, blockId, 'condemned');
      else if (present[place] !== true && (await isAbsent(blockId))) tell(spaceId, blockId, 'absent');
    }
    references += page.references.length;
    after = page.next;
  } while (after !== null);
  return { references, dangling, unavailable, examples };
}
