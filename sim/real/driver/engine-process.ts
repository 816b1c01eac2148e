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
  /** Ends it; after `isKill` nothing more reaches the tree store. */
  end(isKill: boolean): Promise<void>;
}

export function createEngineProcess(): EngineProcess {
  let engine: SyncEngine | null = null;
  let abort = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let own = { isAlive: false, mayFlush: false };
  return {
    get engine() {
      return own.isAlive ? engine : null;
    },
    get isRunning() {
      return own.isAlive;
    },
    start({ trees, ...ports }) {
      const process = { isAlive: true, mayFlush: true };
      own = process;
      abort = new AbortController();
      const flush = trees.flush.bind(trees);
      trees.flush = () => {
        if (process.mayFlush) flush();
      };
      const flushValues = trees.flushValues.bind(trees);
      trees.flushValues = () => {
        if (process.mayFlush) flushValues();
      };
      engine = createSyncEngine({ ...ports, trees, platform: createNodePlatform() });
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
      if (isKill) own.mayFlush = false;
      abort.abort();
      await running;
      own.isAlive = false;
    },
  };
}
