import { createSimulatedEnvironment } from '@cairn/environment';
import { describeFilesystem } from '../contract.ts';
import { createMemoryFilesystem } from './memory-filesystem.ts';

for (const folding of [false, true]) {
  describeFilesystem(`memory filesystem${folding ? ' that folds names' : ''}`, async () => {
    const memory = createMemoryFilesystem({
      environment: createSimulatedEnvironment({ seed: 1 }),
      capabilities: { caseSensitive: !folding, unicodeSensitive: !folding },
    });
    return {
      filesystem: memory.filesystem,
      user: memory.user,
      storesNegativeTimes: true,
      dispose: async () => undefined,
    };
  });
}
