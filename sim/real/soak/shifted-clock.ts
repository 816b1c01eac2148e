import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Loaded into a server's process before the server (`--import`): its calendar then goes ahead by what a file says, and jumps
 * when the file changes. What is measured in real time (heartbeats, timeouts) is not touched. So leases, graces and
 * retention of days are over within seconds, with the rules and settings that everybody has.
 */

const POLL_MS = 15;

const path = process.env['SOAK_CLOCK_FILE'];
if (path !== undefined) {
  const realNow = Date.now;
  let offsetMs = Number(readFileSync(path, 'utf8'));
  Date.now = () => realNow() + offsetMs;
  globalThis.Date = new Proxy(Date, {
    construct: (target, words, self) =>
      Reflect.construct(target, words.length === 0 ? [Date.now()] : words, self),
  });
  const tell = () => writeFileSync(`${path}.seen`, String(offsetMs));
  tell();
  setInterval(() => {
    const text = readFileSync(path, 'utf8');
    // While it is written it may be empty for a moment.
    if (text === '' || Number(text) === offsetMs) return;
    offsetMs = Number(text);
    tell();
  }, POLL_MS).unref();
}
