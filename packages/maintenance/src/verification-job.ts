import type { Environment } from '@cairn/environment';
import { CairnError } from '@cairn/model';
import { authoriseAdministrator, type Principal } from '@cairn/services';
import { type VerificationDependencies, type VerificationReport, verifyContents } from './verify-contents.ts';

/** The verification that runs, or the last one of this process. */
export interface VerificationState {
  readonly state: 'never' | 'running' | 'done' | 'failed';
  readonly quick: boolean;
  readonly everyReplica: boolean;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly checkedBlocks: number;
  /** Why it failed. */
  readonly problem: string | null;
  readonly report: VerificationReport | null;
}

/** What administrators may ask for. For others there is nothing: `not-found`. */
export interface VerificationService {
  /**
   * Begins one, or joins the one that runs. Returns at once.
   * @throws CairnError `precondition-failed` where there are no replicas to be read
   */
  begin(
    principal: Principal,
    options: { readonly quick: boolean; readonly everyReplica?: boolean },
  ): Promise<VerificationState>;
  state(principal: Principal): Promise<VerificationState>;
}

const NEVER: VerificationState = {
  state: 'never',
  quick: false,
  everyReplica: false,
  startedAt: null,
  endedAt: null,
  checkedBlocks: 0,
  problem: null,
  report: null,
};

/** Verifications take as long as reading everything does, so they run by themselves and are asked how far they are. */
export function createVerificationJob(
  dependencies: VerificationDependencies & { readonly environment: Environment },
): { readonly service: VerificationService; stop(): Promise<void> } {
  const { store, environment } = dependencies;
  const { clock, log } = environment;
  const stopping = new AbortController();
  let now = NEVER;
  let running: Promise<void> = Promise.resolve();

  async function run(quick: boolean, everyReplica: boolean): Promise<void> {
    try {
      const report = await verifyContents(dependencies, {
        quick,
        everyReplica,
        signal: stopping.signal,
        onProgress: (checkedBlocks) => {
          now = { ...now, checkedBlocks };
        },
      });
      now = { ...now, state: 'done', endedAt: clock.now(), report };
      const { examples, ...figures } = report;
      log.info('verification.ended', { quick, ...figures });
      if (report.damagedVersions > 0) log.error('verification.damage', { examples: examples.slice(0, 20) });
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      now = { ...now, state: 'failed', endedAt: clock.now(), problem };
      log.error('verification.failed', { error: problem });
    }
  }

  return {
    service: {
      async begin(principal, { quick, everyReplica = false }) {
        await store.read((reader) => authoriseAdministrator(reader, principal));
        if (everyReplica && dependencies.replicas === null) {
          throw new CairnError(
            'precondition-failed',
            'this server keeps each block once, in a folder of its own; check it without asking for replicas',
          );
        }
        if (now.state !== 'running') {
          now = { ...NEVER, state: 'running', quick, everyReplica, startedAt: clock.now() };
          running = run(quick, everyReplica);
        }
        return now;
      },
      async state(principal) {
        await store.read((reader) => authoriseAdministrator(reader, principal));
        return now;
      },
    },
    async stop() {
      stopping.abort(new Error('the server is stopping'));
      await running;
    },
  };
}
