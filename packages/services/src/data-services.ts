import type { DataDependencies } from './data-dependencies.ts';
import type { DataServices } from './data-services-types.ts';

/** The use cases of spaces, blocks, files, trash and uploads, on the given adapters. */
export function createDataServices(_dependencies: DataDependencies): DataServices {
  throw new Error('not written yet');
}
