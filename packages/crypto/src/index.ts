export {
  createJoinPair,
  deriveNodeKey,
  formatJoinToken,
  isProven,
  type JoinPair,
  type JoinToken,
  NODE_KEY_BYTES,
  parseJoinToken,
  proveParts,
} from './node-joining.ts';
export { openSealedBytes, sealBytes } from './sealed-text.ts';
