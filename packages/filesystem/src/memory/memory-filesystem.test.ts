import { createSimulatedEnvironment } from '@cairn/environment';
import { describeFilesystem } from '../contract.ts';
import { createMemoryFilesystem, type MemoryFilesystemOptions } from './memory-filesystem.ts';

const FOLDING = { capabilities: { caseSensitive: false, unicodeSensitive: false } };
const VARIANTS: Readonly<Record<string, Partial<MemoryFilesystemOptions>>> = {
  'memory filesystem': {},
  'memory filesystem that folds names': FOLDING,
  'memory filesystem that decomposes names': { ...FOLDING, decomposesNames: true },
};

for (const [name, options] of Object.entries(VARIANTS)) {
  describeFilesystem(name, async () => {
    const memory = createMemoryFilesystem({
      environment: createSimulatedEnvironment({ seed: 1 }),
      ...options,
    });
    return {
      filesystem: memory.filesystem,
      user: memory.user,
      storesNegativeTimes: true,
      dispose: async () => undefined,
    };
  });
}
