import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runTwice } from './run-twice.ts';
import type { AnyWorldKind } from './world-kind.ts';

export interface ChildTask {
  readonly seed: number;
  readonly twice: boolean;
}

export interface ChildResult {
  readonly seed: number;
  readonly events: number;
  readonly states: readonly (readonly [string, number])[];
  readonly failure: string | null;
}

/** Runs one task in this process. */
export async function runTask(kind: AnyWorldKind, { seed, twice }: ChildTask): Promise<ChildResult> {
  const result = twice ? await runTwice(kind, seed) : await kind.run(kind.writeScript(seed));
  return {
    seed,
    events: result.events,
    states: [...result.states],
    failure: result.failure?.message ?? null,
  };
}

/** The other end of `startChild`: answers each task with its result. */
export function serveAsChild(kind: AnyWorldKind): void {
  // Also when the parent was killed. What is left in memory disks goes with an orderly end only.
  process.on('disconnect', () => process.exit());
  process.on('message', (task: ChildTask) => {
    runTask(kind, task).then(
      (result) => process.send?.(result),
      (error: unknown) => {
        process.send?.({ seed: task.seed, events: 0, states: [], failure: `[simulator] ${String(error)}` });
      },
    );
  });
}

export interface Child {
  run(task: ChildTask): Promise<ChildResult>;
  end(): void;
}

/** A process that runs histories, one at a time. */
export function startChild(kind: AnyWorldKind): Child {
  const child: ChildProcess = fork(fileURLToPath(kind.program), [], {
    env: { ...process.env, SIM_CHILD: '1' },
  });
  let settle: { resolve: (result: ChildResult) => void; reject: (error: Error) => void } | null = null;
  child.on('message', (result: ChildResult) => {
    settle?.resolve(result);
    settle = null;
  });
  child.on('exit', (code, signal) => settle?.reject(new Error(`a process ended: ${code ?? signal}`)));
  return {
    run(task) {
      return new Promise((resolve, reject) => {
        settle = { resolve, reject };
        child.send(task);
      });
    },
    end() {
      if (child.connected) child.disconnect();
      else child.kill();
    },
  };
}
