import { isCairnError } from '@cairn/model';
import type {
  ClashPolicy,
  JobReport,
  UploadFailure,
  UploadJob,
  UploadNote,
  UploadState,
} from '../upload-types.ts';

const OVER: readonly UploadState[] = ['done', 'skipped', 'failed'];
const IN_WORK: readonly UploadState[] = ['hashing', 'sending', 'committing'];

/** A job while the worker has it. Every change of it is told. */
export interface ActiveJob {
  readonly id: number;
  readonly job: UploadJob;
  readonly state: UploadState;
  readonly isOver: boolean;
  readonly isInWork: boolean;
  readonly isCancelled: boolean;
  policy: ClashPolicy;
  /** Sequence of what was under the name when the person was asked. */
  askedSequence: number | null;
  /** How often it was begun again because somebody changed the same thing meanwhile. */
  attempts: number;
  enter(state: 'hashing' | 'sending' | 'committing'): void;
  advance(doneBytes: number): void;
  ask(clash: NonNullable<JobReport['clash']>): void;
  decide(policy: ClashPolicy): void;
  wait(): void;
  finish(note: UploadNote | null): void;
  skip(): void;
  fail(error: unknown): void;
  cancel(): void;
  describe(): JobReport;
}

export function createActiveJob(job: UploadJob, onChange: () => void): ActiveJob {
  let state: UploadState = 'waiting';
  let doneBytes = 0;
  let note: UploadNote | null = null;
  let failure: UploadFailure | null = null;
  let clash: JobReport['clash'] | null = null;
  let isCancelled = false;

  function to(next: UploadState): void {
    if (OVER.includes(state)) return;
    state = next;
    onChange();
  }

  return {
    id: job.id,
    job,
    policy: job.policy,
    attempts: 0,
    askedSequence: null,
    get state() {
      return state;
    },
    get isOver() {
      return OVER.includes(state);
    },
    get isInWork() {
      return IN_WORK.includes(state);
    },
    get isCancelled() {
      return isCancelled;
    },
    enter: to,
    advance(bytes) {
      doneBytes = bytes;
      onChange();
    },
    ask(about) {
      clash = about;
      to('asking');
    },
    decide(policy) {
      this.policy = policy;
      to(policy === 'skip' ? 'skipped' : 'waiting');
    },
    wait() {
      doneBytes = 0;
      to('waiting');
    },
    finish(how) {
      note = how;
      to('done');
    },
    skip: () => to('skipped'),
    fail(error) {
      failure = isCairnError(error)
        ? { code: error.code, message: error.message }
        : { code: 'internal', message: error instanceof Error ? error.message : String(error) };
      to('failed');
    },
    cancel() {
      isCancelled = true;
      // What is being committed may be there already; then it is done, and the page has forgotten it.
      if (state !== 'committing') to('skipped');
    },
    describe: () => ({
      id: job.id,
      state,
      doneBytes,
      ...(note === null ? {} : { note }),
      ...(failure === null ? {} : { failure }),
      ...(clash === null || clash === undefined ? {} : { clash }),
    }),
  };
}
