import { createHash, type Hash } from 'node:crypto';

const MAX_LINES = 20_000;

/** All that happened in one run, as a hash of every line and the lines of interest to people. */
export class Trace {
  readonly #hash: Hash = createHash('sha256');
  readonly #lines: string[] = [];
  readonly #nowMs: () => number;
  readonly #onLine: ((line: string) => void) | null;
  events = 0;

  constructor(nowMs: () => number, onLine: ((line: string) => void) | null) {
    this.#nowMs = nowMs;
    this.#onLine = onLine;
  }

  /** Something a program did: part of the hash only. */
  note(line: string): void {
    this.events++;
    this.#hash.update(`${this.#nowMs()} ${line}\n`);
    if (this.#onLine !== null && process.env['SIM_TRACE'] === 'all')
      this.#onLine(`${this.#stamp()}   ${line}`);
  }

  /** Something that people read, too. */
  tell(line: string): void {
    this.note(line);
    const stamped = `${this.#stamp()} ${line}`;
    if (this.#lines.length < MAX_LINES) this.#lines.push(stamped);
    this.#onLine?.(stamped);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Ends the trace. */
  digest(): string {
    return this.#hash.digest('hex').slice(0, 16);
  }

  #stamp(): string {
    return `${(this.#nowMs() / 1000).toFixed(3).padStart(9)}s`;
  }
}
