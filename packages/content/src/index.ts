export type { BlockCodec, BlockKind, StoredBlock } from './stored-block.ts';
