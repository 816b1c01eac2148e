import { renewSession } from './request.ts';
import { msUntilRenewal } from './token-life.ts';

/** A page that was just opened has more urgent questions, and each of those would renew a token that has ended. */
const FIRST_MS = 3_000;
/** After a renewal that failed, since the server could not be reached. */
const AGAIN_MS = 20_000;

let isRunning = false;
let timer: ReturnType<typeof setTimeout> | undefined;

function schedule(delayMs: number): void {
  clearTimeout(timer);
  if (isRunning) timer = setTimeout(() => void renewWhenDue(), delayMs);
}

async function renewWhenDue(): Promise<void> {
  if (!isRunning) return;
  const delayMs = msUntilRenewal();
  if (delayMs > 0) return schedule(delayMs);
  try {
    await renewSession();
    schedule(Math.max(AGAIN_MS, msUntilRenewal()));
  } catch {
    // Whoever is not signed in any more is told so; otherwise the network may be back next time.
    schedule(AGAIN_MS);
  }
}

/**
 * Renews the access cookie before it ends, while somebody is signed in: images, players and downloads cannot renew
 * it when they are refused, as requests of the app do.
 */
export function startRenewing(): void {
  if (isRunning) return;
  isRunning = true;
  schedule(FIRST_MS);
}

export function stopRenewing(): void {
  isRunning = false;
  clearTimeout(timer);
}

// Timers stand still while a machine sleeps, and are late in pages that nobody sees.
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') void renewWhenDue();
});
window.addEventListener('pageshow', () => void renewWhenDue());
window.addEventListener('online', () => void renewWhenDue());
