import { createHmac, hash, webcrypto } from 'node:crypto';
import type { Clock } from '@cairn/environment';
import { CairnError, type DeviceId, isRandomId, type UserId } from '@cairn/model';
import { errors, jwtVerify, SignJWT } from 'jose';
import type { Principal } from '../authorisation/principal.ts';

const ALGORITHM = 'HS256';
const TYPE = 'at+jwt';
const ISSUER = 'cairn';
const AUDIENCE = 'cairn-api';
const PURPOSE = 'access';
const LIFETIME_MS = 10 * 60_000;
const MAX_TOKEN_CHARACTERS = 2048;
/** Clocks of several servers may differ by this much. */
const CLOCK_TOLERANCE_S = 5;
/** Tokens whose signature was checked, by their hash: as many as devices may be at work at once. */
const MAX_REMEMBERED = 4096;

interface VerifiedToken {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly expiresAt: number;
  readonly notBeforeS: number;
}

export interface AccessTokens {
  sign(principal: Principal): Promise<{ readonly token: string; readonly expiresAt: number }>;
  /** What the token says, if we signed it for this purpose. Throws `not-signed-in`, `token-expired`. */
  verify(token: string): Promise<{ userId: UserId; deviceId: DeviceId; expiresAt: number }>;
}

function notSignedIn(cause?: unknown): CairnError {
  return new CairnError('not-signed-in', 'the access token is not valid; sign in again', { cause });
}

/** Access tokens: JWT (RFC 9068 form) with HMAC-SHA-256, valid for ten minutes. */
export function createAccessTokens(secret: Uint8Array, clock: Clock): AccessTokens {
  // A key of its own, so that nothing else made from the secret can pass for a token.
  const keyBytes = createHmac('sha256', secret).update('cairn access token v1').digest();
  // Imported once: otherwise each request would wait for that, too.
  const imported = webcrypto.subtle.importKey('raw', keyBytes, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
    'verify',
  ]);
  // A device shows the same token for minutes; checking its signature each time costs more than most requests do.
  const remembered = new Map<string, VerifiedToken>();

  function remember(digest: string, verified: VerifiedToken): void {
    for (const oldest of remembered.keys()) {
      if (remembered.size < MAX_REMEMBERED) break;
      remembered.delete(oldest);
    }
    remembered.set(digest, verified);
  }

  /** What is said of the times of a token that nobody changed. */
  function isCurrent({ notBeforeS, expiresAt }: VerifiedToken): boolean {
    const nowS = Math.floor(clock.now() / 1000);
    return notBeforeS <= nowS + CLOCK_TOLERANCE_S && expiresAt / 1000 > nowS - CLOCK_TOLERANCE_S;
  }

  return {
    async sign(principal) {
      const issuedAtS = Math.floor(clock.now() / 1000);
      const expiresAtS = issuedAtS + LIFETIME_MS / 1000;
      const token = await new SignJWT({
        device: principal.deviceId,
        role: principal.role,
        purpose: PURPOSE,
      })
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(principal.userId)
        .setIssuedAt(issuedAtS)
        .setNotBefore(issuedAtS)
        .setExpirationTime(expiresAtS)
        .sign(await imported);
      return { token, expiresAt: expiresAtS * 1000 };
    },
    async verify(token) {
      if (token.length > MAX_TOKEN_CHARACTERS) throw notSignedIn();
      const digest = hash('sha256', token, 'latin1');
      const known = remembered.get(digest);
      if (known !== undefined) {
        if (isCurrent(known)) return known;
        remembered.delete(digest);
      }
      const { payload } = await jwtVerify(token, await imported, {
        algorithms: [ALGORITHM],
        typ: TYPE,
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['sub', 'exp', 'nbf', 'device', 'purpose'],
        currentDate: new Date(clock.now()),
        clockTolerance: CLOCK_TOLERANCE_S,
      }).catch((error: unknown) => {
        if (error instanceof errors.JWTExpired) {
          throw new CairnError('token-expired', 'the access token has expired; refresh it', { cause: error });
        }
        throw notSignedIn(error);
      });
      const { sub, device, purpose, exp, nbf = 0 } = payload;
      if (purpose !== PURPOSE || typeof device !== 'string' || sub === undefined || exp === undefined) {
        throw notSignedIn();
      }
      if (!isRandomId(sub) || !isRandomId(device)) throw notSignedIn();
      const verified: VerifiedToken = {
        userId: sub as UserId,
        deviceId: device as DeviceId,
        expiresAt: exp * 1000,
        notBeforeS: nbf,
      };
      remember(digest, verified);
      return verified;
    },
  };
}
