import { createHash } from 'node:crypto';
import type { Random } from '@cairn/environment';

const PREFIX = 'cairn_refresh_';
const TOKEN = /^cairn_refresh_[A-Za-z0-9_-]{43}$/;

/** How long a device may stay away before its owner has to sign in again. */
export const REFRESH_TOKEN_LIFETIME_MS = 180 * 24 * 60 * 60_000;

/** 256 random bits behind a prefix that scanners for leaked secrets can know. */
export function createRefreshToken(random: Random): string {
  return PREFIX + Buffer.from(random.bytes(32)).toString('base64url');
}

/** What is stored in its place: SHA-256 in hex, enough for a random secret. `null` when it is no refresh token. */
export function hashRefreshToken(token: string): string | null {
  return TOKEN.test(token) ? createHash('sha256').update(token).digest('hex') : null;
}
