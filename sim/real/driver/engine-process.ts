import { createNodePlatform } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import type { Filesystem } from '@cairn/filesystem';
import { createSyncEngine, type SpaceConnection, type SyncEngine } from '@cairn/sync-engine';
import type { TreeStore } from '@cairn/tree-store';

/** An engine that runs in this process as a daemon would in its own. */
export interface EngineProcess {
  readonly engine: SyncEngine | null;
  readonly isRunning: boolean;
  start(ports: {
    readonly filesystem: Filesystem;
    readonly trees: TreeStore;
    readonly space: SpaceConnection;
    readonly deviceName: string;
    readonly environment: Environment;
    readonly brake?: { readonly count: number; readonly share: number };
  }): void;
  /** Ends it; after `isKill` nothing more reaches the tree store or the folder. */
  end(isKill: boolean): Promise<void>;
}

export function createEngineProcess(): EngineProcess {
  let engine: SyncEngine | null = null;
  let abort = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let own = { isAlive: false, mayWrite: false };
  return {
    get engine() {
      return own.isAlive ? engine : null;
    },
    get isRunning() {
      return own.isAlive;
    },
    start({ trees, filesystem, ...ports }) {
      const process = { isAlive: true, mayWrite: true };
      own = process;
      abort = new AbortController();
      const flush = trees.flush.bind(trees);
      trees.flush = () => {
        if (process.mayWrite) flush();
      };
      const flushValues = trees.flushValues.bind(trees);
      trees.flushValues = () => {
        if (process.mayWrite) flushValues();
      };
      engine = createSyncEngine({
        ...ports,
        trees,
        filesystem: cutOff(filesystem, () => !process.mayWrite),
        platform: createNodePlatform(),
      });
      running = engine.run(abort.signal).then(
        () => {
          process.isAlive = false;
        },
        () => {
          process.isAlive = false;
        },
      );
    },
    async end(isKill) {
      if (isKill) own.mayWrite = false;
      abort.abort();
      await running;
      own.isAlive = false;
    },
  };
}

/** The same folder for as long as the process lives. */
function cutOff(filesystem: Filesystem, isDead: () => boolean): Filesystem {
  return new Proxy(filesystem, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]) =>
        isDead() ? Promise.reject(new Error('the process has ended')) : value.apply(target, given);
    },
  });
}
