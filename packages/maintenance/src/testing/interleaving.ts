import type { BlockStore } from '@cairn/block-store';
import type { MetadataStore } from '@cairn/metadata-store';

/** A process that stands before its next call of a store until it is told to go on. */
interface Process {
  readonly name: string;
  /** Makes the call that the process stands before. */
  goOn: (() => void) | null;
  /** Tells that the process stands again, or has ended. */
  stands: () => void;
  isDead: boolean;
  hasPut: boolean;
}

/** The stores as one process sees them. */
export interface ProcessStores {
  readonly store: MetadataStore;
  readonly blocks: BlockStore;
}

export interface Interleaving {
  /** Starts work that stops before each call of a store. */
  start(name: string, work: (stores: ProcessStores) => Promise<void>): Promise<void>;
  names(): readonly string[];
  /** Whether the process has put blocks, and has not said so to the metadata yet. */
  hasJustPut(place: number): boolean;
  /** Lets the process of this place in `names` make one call, and what follows from it. */
  step(place: number): Promise<void>;
  /** The process never goes on. */
  kill(place: number): void;
  /** What a process threw that was not expected by its own work. */
  readonly failures: readonly { readonly name: string; readonly error: unknown }[];
}

/** Processes on the same stores that go on one call at a time, in the order that the caller chooses. */
export function createInterleaving(stores: ProcessStores): Interleaving {
  const processes: Process[] = [];
  const failures: { name: string; error: unknown }[] = [];

  function storesOf(process: Process): ProcessStores {
    const turn = (): Promise<void> =>
      new Promise((resolve) => {
        // What a process asks for at one moment goes on at one moment.
        const before = process.goOn;
        process.goOn = () => {
          before?.();
          resolve();
        };
        process.stands();
      });
    const { store, blocks } = stores;
    return {
      store: {
        ...store,
        read: async (work) => {
          await turn();
          return store.read(work);
        },
        transact: async (work) => {
          await turn();
          return store.transact(work);
        },
      },
      blocks: {
        ...blocks,
        put: async (...input) => {
          await turn();
          process.hasPut = true;
          return blocks.put(...input);
        },
        has: async (...input) => {
          await turn();
          return blocks.has(...input);
        },
        locate: async (...input) => {
          await turn();
          return blocks.locate(...input);
        },
        delete: async (...input) => {
          await turn();
          return blocks.delete(...input);
        },
        async *list() {
          for await (const location of blocks.list()) {
            yield location;
            await turn();
          }
        },
      },
    };
  }

  async function untilItStands(process: Process, go: () => void): Promise<void> {
    const standing = new Promise<void>((resolve) => {
      process.stands = resolve;
    });
    go();
    await standing;
  }

  function end(process: Process): void {
    processes.splice(processes.indexOf(process), 1);
  }

  return {
    async start(name, work) {
      const process: Process = { name, goOn: null, stands: () => undefined, isDead: false, hasPut: false };
      processes.push(process);
      await untilItStands(process, () => {
        work(storesOf(process))
          .catch((error: unknown) => failures.push({ name, error }))
          .finally(() => {
            if (!process.isDead) end(process);
            process.stands();
          });
      });
    },
    hasJustPut: (place) => processes[place]?.hasPut === true,
    names: () => processes.map(({ name }) => name),
    async step(place) {
      const process = processes[place] as Process;
      const { goOn } = process;
      process.goOn = null;
      process.hasPut = false;
      if (goOn === null) throw new Error(`process ${process.name} does not stand before a call`);
      await untilItStands(process, goOn);
    },
    kill(place) {
      const process = processes[place] as Process;
      process.isDead = true;
      end(process);
    },
    failures,
  };
}
