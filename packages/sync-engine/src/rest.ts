import type { Environment } from '@cairn/environment';
import type { Attention } from './attention.ts';
import { DEBOUNCE_MS } from './cycle.ts';
import type { RestlessFiles } from './execute/restless-files.ts';
import type { Failures } from './failures.ts';
import type { Scanner } from './observe/scan.ts';
import type { Retries } from './retries.ts';
import { LINK_RETRY_MS, type RootLink } from './root-link.ts';
import type { ScanSchedule } from './scan-schedule.ts';

/** What could not be read is looked at again this often. */
const UNREADABLE_SCAN_MS = 60_000;

export interface RestDeps {
  readonly environment: Environment;
  readonly attention: Attention;
  readonly retries: Retries;
  readonly schedule: ScanSchedule;
  readonly scanner: Scanner;
  readonly link: RootLink;
  readonly failures: Failures;
  readonly restless: RestlessFiles;
  isPaused(): boolean;
  /** A look at everything is due by the clock; `isUnasked`: nothing asked for a look at the disk. */
  onScanDue(isUnasked: boolean): void;
}

/** The pause between two cycles: until something rings or is due. */
export class Rest {
  readonly #deps: RestDeps;
  #lastUnreadableScanMs: number;

  constructor(deps: RestDeps) {
    this.#deps = deps;
    this.#lastUnreadableScanMs = deps.environment.clock.monotonicMs();
  }

  /** Resolves when there is something to look at, and what belongs to it has had time to happen. */
  async wait(signal: AbortSignal): Promise<void> {
    const { attention, retries, schedule, scanner, link, environment } = this.#deps;
    const { timers, clock } = environment;
    if (signal.aborted) return;
    const isPaused = this.#deps.isPaused();
    if (attention.isPending && !isPaused && retries.nextDueMs() === null) return;
    for (;;) {
      const due = isPaused ? [] : this.#dueMs();
      const waitMs = due.length === 0 ? null : Math.max(1, Math.min(...due));
      if ((await attention.wake.wait(timers, waitMs, signal)) !== 'stirred') break;
      if (await this.#tookEdits()) return;
    }
    const now = clock.monotonicMs();
    if (schedule.dueInMs() === 0 && !this.#deps.isPaused()) {
      this.#deps.onScanDue(!attention.isDiskPending);
      link.age();
      attention.everything();
      // Hints from the server may get lost, too, even on a connection that lives.
      attention.server();
    }
    if (scanner.hasUnreadable() && now - this.#lastUnreadableScanMs >= UNREADABLE_SCAN_MS) {
      this.#lastUnreadableScanMs = now;
      for (const [path, reason] of scanner.unsynced)
        if (reason === 'unreadable') attention.folder(path === '/' ? '' : path);
    }
    if (attention.isDiskPending && !signal.aborted) await timers.sleep(DEBOUNCE_MS);
  }

  /** Whether a save that is whole as it is was all that stirred: then it is looked at without waiting for its hint. */
  async #tookEdits(): Promise<boolean> {
    const { attention, retries, scanner } = this.#deps;
    const stirred = attention.takeStirred();
    if (stirred === null || this.#deps.isPaused() || retries.isRetreating) return false;
    if (!(await scanner.areOnlyEdits(stirred))) return false;
    for (const path of stirred) attention.folder(path);
    return true;
  }

  /** When something is due although nothing rings, in milliseconds from now. */
  #dueMs(): number[] {
    const { schedule, scanner, link, retries, failures, restless, environment } = this.#deps;
    const now = environment.clock.monotonicMs();
    const due = [schedule.dueInMs()];
    if (scanner.hasUnreadable()) due.push(UNREADABLE_SCAN_MS - (now - this.#lastUnreadableScanMs));
    if (link.isOld) due.push(LINK_RETRY_MS);
    const retryMs = retries.nextDueMs();
    if (retryMs !== null) due.push(retryMs);
    const failureMs = failures.nextDueMs();
    if (failureMs !== null && !retries.isRetreating) due.push(Math.max(failureMs, 50));
    const restlessMs = restless.nextDueMs();
    if (restlessMs !== null && !retries.isRetreating) due.push(Math.max(restlessMs, 5));
    return due;
  }
}
