import { z } from 'zod';
import { countSchema, instantSchema } from '../scalars.ts';

/** POST /admin/blocks/move */
export const moveBlocksRequestSchema = z.strictObject({
  /** As in CAIRN_BLOCKS: `nodes:` with settings, or `file:` with an absolute path on the server. */
  target: z.string().min(1).max(4096),
  /** How fast blocks are copied at most; `null`: as fast as it goes. */
  bytesPerSecond: z.int().positive().nullable().exactOptional(),
  /** Ends the move although blocks that cannot be read stay behind. */
  leavesDamaged: z.boolean().exactOptional(),
});
export type MoveBlocksRequest = z.infer<typeof moveBlocksRequestSchema>;

/** GET /admin/blocks: where the blocks are, and how far a move of them is. */
export const blocksResponseSchema = z.object({
  place: z.string(),
  /** Where they were before the last move. */
  previous: z.string().nullable(),
  movedAt: instantSchema.nullable(),
  /** Blocks that the last move left behind since they could not be read. */
  leftBlocks: countSchema,
  /** What somebody ought to change in the settings of the server. */
  warning: z.string().nullable(),
  move: z
    .object({
      from: z.string(),
      to: z.string(),
      phase: z.enum(['copying', 'checking', 'held']),
      /** It was cancelled, and everything goes back. */
      isReturn: z.boolean(),
      leavesDamaged: z.boolean(),
      bytesPerSecond: countSchema.nullable(),
      startedAt: instantSchema,
      /** Of the present walk over all blocks. */
      checkedBlocks: countSchema,
      totalBlocks: countSchema,
      copiedBlocks: countSchema,
      copiedBytes: countSchema,
      /** No place has them whole. */
      badBlocks: countSchema,
      bytesEachSecond: countSchema.nullable(),
      secondsLeft: countSchema.nullable(),
      problem: z.string().nullable(),
    })
    .nullable(),
});
export type BlocksResponse = z.infer<typeof blocksResponseSchema>;
