import type { Environment } from '@cairn/environment';
import type { MetadataStore } from '@cairn/metadata-store';
import { CairnError } from '@cairn/model';
import { authoriseAdministrator, type Principal } from '@cairn/services';
import type { CleanUpReport, CleanUpStep } from './clean-up.ts';
import type { MaintenanceService } from './create-maintenance.ts';

/** The clean-up that runs because somebody asked, or the last one of this process. */
export interface CollectionState {
  readonly state: 'never' | 'running' | 'done' | 'failed';
  readonly dryRun: boolean;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** What is being done, and how many blocks that has come to. */
  readonly step: CleanUpStep | null;
  readonly doneBlocks: number;
  /** Why it failed. */
  readonly problem: string | null;
  readonly report: CleanUpReport | null;
}

/** What administrators may ask for. For others there is nothing: `not-found`. */
export interface CollectionService {
  /**
   * Begins one, or joins one of the same kind that runs. Returns at once.
   * @throws CairnError `unavailable` while one of the other kind runs
   */
  begin(principal: Principal, options: { readonly dryRun: boolean }): Promise<CollectionState>;
  state(principal: Principal): Promise<CollectionState>;
}

export interface CollectionJobOptions {
  readonly store: MetadataStore;
  readonly environment: Environment;
  readonly maintenance: Pick<MaintenanceService, 'collect'>;
}

const NEVER: CollectionState = {
  state: 'never',
  dryRun: false,
  startedAt: null,
  endedAt: null,
  step: null,
  doneBlocks: 0,
  problem: null,
  report: null,
};

/** Clean-ups take longer than a request may, so they run by themselves and are asked how far they are. */
export function createCollectionJob({ store, environment, maintenance }: CollectionJobOptions): {
  readonly service: CollectionService;
  stop(): Promise<void>;
} {
  const { clock } = environment;
  const stopping = new AbortController();
  let now = NEVER;
  let running: Promise<void> = Promise.resolve();

  async function run(principal: Principal, dryRun: boolean): Promise<void> {
    try {
      const report = await maintenance.collect(principal, {
        dryRun,
        signal: stopping.signal,
        onProgress: (step, doneBlocks) => {
          now = { ...now, step, doneBlocks };
        },
      });
      now = { ...now, state: 'done', endedAt: clock.now(), step: null, report };
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      now = { ...now, state: 'failed', endedAt: clock.now(), step: null, problem };
    }
  }

  return {
    service: {
      async begin(principal, { dryRun }) {
        await store.read((reader) => authoriseAdministrator(reader, principal));
        if (now.state !== 'running') {
          now = { ...NEVER, state: 'running', dryRun, startedAt: clock.now() };
          running = run(principal, dryRun);
        } else if (now.dryRun !== dryRun) {
          throw new CairnError(
            'unavailable',
            `${now.dryRun ? 'a clean-up that only tells what it would do' : 'a clean-up'} is running; try again when it has ended`,
          );
        }
        return now;
      },
      async state(principal) {
        await store.read((reader) => authoriseAdministrator(reader, principal));
        return now;
      },
    },
    async stop() {
      stopping.abort(new CairnError('unavailable', 'the server is stopping'));
      await running;
    },
  };
}
