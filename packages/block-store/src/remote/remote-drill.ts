import { type BlockId, CairnError } from '@cairn/model';
import { NODE_PATHS, type NodeDrillRequest, nodeDrilledSchema } from '@cairn/protocol';
import { collectBytes, type NodeConnection } from './node-connection.ts';

/** What a drill may ask of one storage node. */
export interface RemoteDrill {
  /** The node reports itself as full for so long, at most {@link MAX_NODE_FULL_MS}; 0 ends that. */
  reportFull(forMs: number): Promise<void>;
  /** @throws CairnError `precondition-failed` for a block that does not begin with the mark of a canary */
  damageCanary(blockId: BlockId): Promise<void>;
}

const MAX_ANSWER_BYTES = 4096;

/** @throws CairnError what the node says, `unavailable` when it does not answer */
export function createRemoteDrill(connection: NodeConnection): RemoteDrill {
  async function ask(request: NodeDrillRequest): Promise<void> {
    const body = await connection.send(NODE_PATHS.drill, [Buffer.from(JSON.stringify(request))]);
    const text = (await collectBytes(body, MAX_ANSWER_BYTES)).toString();
    let value: unknown = null;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new CairnError('unavailable', 'a storage node answered what is not understood', { cause: error });
    }
    if (nodeDrilledSchema.safeParse(value).success) return;
    throw new CairnError('unavailable', 'a storage node answered what is not understood');
  }
  return {
    reportFull: (forMs) => ask({ kind: 'full', forMs }),
    damageCanary: (blockId) => ask({ kind: 'damage', blockId }),
  };
}
