/** What other measurements and runs use of the worlds here. */
export { contentKey, Ledger } from './torture/ledger.ts';
export { createUser, type User, type UserOptions } from './torture/user.ts';
export { CairnProgram, type ProgramOptions, runCairn, type Variables } from './world/cairn-program.ts';
export { withCleanup } from './world/cleanup.ts';
export { findFreePort } from './world/counting-proxy.ts';
export { readUsage } from './world/process-usage.ts';
export { createByteStream, createSeededRandom, type SeededRandom } from './world/seeded-random.ts';
export { compareTrees, hashFile, readTree, type TreeListing, walk } from './world/trees.ts';
