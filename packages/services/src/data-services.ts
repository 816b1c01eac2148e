import { findMissingBlocks } from './blocks/find-missing-blocks.ts';
import { readBlocks } from './blocks/read-blocks.ts';
import { storeBlocks } from './blocks/store-blocks.ts';
import { commitChangeset } from './changesets/commit-changeset.ts';
import type { DataDependencies } from './data-dependencies.ts';
import type {
  BlocksService,
  DataServices,
  FilesService,
  SpacesService,
  TrashService,
  UploadsService,
} from './data-services-types.ts';
import { currentSequence } from './spaces/current-sequence.ts';
import { readChanges } from './spaces/read-changes.ts';
import { readSnapshot } from './spaces/read-snapshot.ts';

/** The use cases of spaces, blocks, files, trash and uploads, on the given adapters. */
export function createDataServices(dependencies: DataDependencies): DataServices {
  const spaces: SpacesService = {
    commitChangeset: (...input) => commitChangeset(dependencies, ...input),
    readChanges: (...input) => readChanges(dependencies, ...input),
    readSnapshot: (...input) => readSnapshot(dependencies, ...input),
    currentSequence: (...input) => currentSequence(dependencies, ...input),
  };
  const blocks: BlocksService = {
    findMissingBlocks: (...input) => findMissingBlocks(dependencies, ...input),
    storeBlocks: (...input) => storeBlocks(dependencies, ...input),
    readBlocks: (...input) => readBlocks(dependencies, ...input),
  };
  return {
    spaces,
    blocks,
    files: {} as FilesService,
    trash: {} as TrashService,
    uploads: {} as UploadsService,
  };
}
