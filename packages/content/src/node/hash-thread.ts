/** Bytes in memory that both threads see. */
export interface HashJob {
  readonly number: number;
  readonly memory: SharedArrayBuffer;
  readonly offset: number;
  readonly length: number;
}

export interface HashAnswer {
  readonly number: number;
  /** 32 bytes. */
  readonly digest: Uint8Array;
}

/** What a thread does. It stands for itself and uses nothing from around it. */
function serve(require: NodeJS.Require): void {
  const { hash } = require('node:crypto') as typeof import('node:crypto');
  const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
  parentPort?.on('message', (jobs: readonly HashJob[]) => {
    const answers = jobs.map(({ number, memory, offset, length }): HashAnswer => {
      const digest = hash('sha256', new Uint8Array(memory, offset, length), 'buffer');
      return { number, digest: Uint8Array.from(digest) };
    });
    parentPort.postMessage(answers);
  });
}

/** The thread's program as text: a thread that loads a module of TypeScript takes five times as long to start. */
export const HASH_THREAD = `(${serve.toString()})(require);`;
