import type { CliContext } from '../context.ts';
import { count, showDuration, showSize } from '../output/text.ts';

const TTY_EVERY_MS = 100;
const PLAIN_EVERY_MS = 2000;
const RATE_WINDOW_MS = 5000;

/** Shows how far a transfer is: a bar on a terminal, a line every two seconds elsewhere, on standard error. */
export interface Progress {
  /** What is known of the whole; may grow. */
  expect(files: number, bytes: number): void;
  addBytes(bytes: number): void;
  addFile(): void;
  /** A line among the progress. */
  say(line: string): void;
  /** Removes the bar. */
  end(): void;
}

export function createProgress(context: CliContext, verb: string): Progress {
  const { errors } = context;
  const tty = errors.isTTY === true;
  const startedAt = performance.now();
  let expectedFiles = 0;
  let expectedBytes = 0;
  let files = 0;
  let bytes = 0;
  let shown = '';
  let samples: { at: number; bytes: number }[] = [{ at: startedAt, bytes: 0 }];

  function text(): string {
    const now = performance.now();
    samples.push({ at: now, bytes });
    samples = samples.filter(
      (sample, index) => now - sample.at <= RATE_WINDOW_MS || index === samples.length - 1,
    );
    const first = samples[0] ?? { at: startedAt, bytes: 0 };
    const rate = now > first.at ? ((bytes - first.bytes) / (now - first.at)) * 1000 : 0;
    const whole = expectedFiles > 0;
    const parts = [
      whole ? `${files.toLocaleString('en')}/${count(expectedFiles, 'file')}` : count(files, 'file'),
      whole ? `${showSize(bytes)} of ${showSize(expectedBytes)}` : showSize(bytes),
      `${showSize(rate)}/s`,
    ];
    const left = expectedBytes - bytes;
    if (rate > 0 && left > 0 && now - startedAt > 2000)
      parts.push(`${showDuration((left / rate) * 1000)} left`);
    return parts.join('  ');
  }

  function bar(): string {
    const share = expectedBytes > 0 ? Math.min(1, bytes / expectedBytes) : 0;
    const width = 24;
    const full = Math.round(share * width);
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    return `${verb} ${'█'.repeat(full)}${'░'.repeat(width - full)}${percent}  ${text()}`;
  }

  function clear(): void {
    if (shown !== '') errors.write('\r\u001b[2K');
    shown = '';
  }

  const timer = setInterval(
    () => {
      if (!tty) {
        errors.write(`${verb}: ${text()}\n`);
        return;
      }
      const line = bar().slice(0, Math.max(20, (errors.columns ?? 80) - 1));
      if (line === shown) return;
      errors.write(`\r\u001b[2K${line}`);
      shown = line;
    },
    tty ? TTY_EVERY_MS : PLAIN_EVERY_MS,
  );
  timer.unref();

  return {
    expect(moreFiles, moreBytes) {
      expectedFiles += moreFiles;
      expectedBytes += moreBytes;
    },
    addBytes(more) {
      bytes += more;
    },
    addFile() {
      files++;
    },
    say(line) {
      clear();
      errors.write(`${line}\n`);
    },
    end() {
      clearInterval(timer);
      clear();
    },
  };
}
