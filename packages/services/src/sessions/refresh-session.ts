import type { MetadataTransaction } from '@cairn/metadata-store';
import { CairnError, type DeviceId, type UserId } from '@cairn/model';
import type { SignedIn } from '@cairn/protocol';
import type { AccessContext } from '../access-context.ts';
import { hashRefreshToken } from './refresh-token.ts';
import { startSession } from './start-session.ts';

type Outcome =
  | { readonly kind: 'signed-in'; readonly signedIn: SignedIn }
  | { readonly kind: 'refused' }
  | { readonly kind: 'theft'; readonly userId: UserId; readonly deviceId: DeviceId };

async function rotate(
  context: AccessContext,
  transaction: MetadataTransaction,
  tokenHash: string,
): Promise<Outcome> {
  const now = context.environment.clock.now();
  const token = await transaction.getRefreshToken(tokenHash);
  if (token === undefined) return { kind: 'refused' };
  const device = await transaction.getDevice(token.deviceId);
  if (device === undefined || device.revokedAt !== null) return { kind: 'refused' };
  const { deviceId, userId } = device;
  if (token.state === 'dead') {
    await transaction.killRefreshTokens(deviceId);
    await transaction.updateDevice(deviceId, { revokedAt: now });
    return { kind: 'theft', userId, deviceId };
  }
  if (token.expiresAt <= now) return { kind: 'refused' };
  const user = await transaction.getUser(userId);
  const space = user === undefined ? undefined : await transaction.getSpace(user.personalSpaceId);
  if (user === undefined || space === undefined) return { kind: 'refused' };
  if (token.state === 'current') {
    // Its use proves that the answer which brought it arrived: whatever came before is spent.
    await transaction.killRefreshTokens(deviceId);
    await transaction.setRefreshTokenState(tokenHash, 'previous');
  }
  // A `previous` one is here again because its answer was lost. The successor that got lost stays valid beside
  // the new one until one of the two is used: two processes that share a session must not look like a thief.
  await transaction.updateDevice(deviceId, { lastSeenAt: now });
  const session = { user, device, rootId: space.rootId };
  return { kind: 'signed-in', signedIn: await startSession(context, transaction, session) };
}

/** See `SessionsService.refresh`. */
export async function refreshSession(context: AccessContext, refreshToken: string): Promise<SignedIn> {
  const { store, bus, environment } = context;
  const tokenHash = hashRefreshToken(refreshToken);
  const outcome: Outcome =
    tokenHash === null
      ? { kind: 'refused' }
      : await store.transact((transaction) => rotate(context, transaction, tokenHash));
  if (outcome.kind === 'signed-in') return outcome.signedIn;
  if (outcome.kind === 'theft') {
    const { userId, deviceId } = outcome;
    bus.publish({ kind: 'device-revoked', userId, deviceId });
    environment.log.warn('audit.refresh-token-reused', { userId, deviceId });
  }
  throw new CairnError('session-revoked', 'this session has ended; sign in again');
}
