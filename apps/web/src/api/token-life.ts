/** Shared by all tabs, as the cookies are. No secret: only when to renew them. */
const KEY = 'cairn-renewal';
/** So much of the token's life is used. The rest is for a network that has to come back first. */
const USED_SHARE = 0.8;

interface Noted {
  readonly notedAtMs: number;
  readonly renewAtMs: number;
}

/**
 * Notes how long the cookies of an answer are good.
 * @param expiresAtMs by the server's clock, which may be far from this one
 * @param date what the server's clock was, as its header tells
 */
export function noteTokenLife(expiresAtMs: number, date: string | undefined): void {
  const nowMs = Date.now();
  const serverNowMs = Date.parse(date ?? '');
  const lifeMs = expiresAtMs - (Number.isNaN(serverNowMs) ? nowMs : serverNowMs);
  const noted: Noted = { notedAtMs: nowMs, renewAtMs: nowMs + Math.max(0, lifeMs) * USED_SHARE };
  localStorage.setItem(KEY, JSON.stringify(noted));
}

/** How long until the cookies are to be renewed; 0 when it is time, or nobody knows. */
export function msUntilRenewal(): number {
  try {
    const { notedAtMs, renewAtMs } = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Noted>;
    if (typeof notedAtMs !== 'number' || typeof renewAtMs !== 'number') return 0;
    const nowMs = Date.now();
    // Noted in the future: the clock was set back, and what it says of then is worth nothing.
    return notedAtMs > nowMs ? 0 : Math.max(0, renewAtMs - nowMs);
  } catch {
    return 0;
  }
}

export function forgetTokenLife(): void {
  localStorage.removeItem(KEY);
}
