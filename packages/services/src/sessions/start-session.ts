import type { DeviceRecord, MetadataTransaction, UserRecord } from '@cairn/metadata-store';
import { createId, type DeviceId, type EntryId } from '@cairn/model';
import type { SignedIn } from '@cairn/protocol';
import type { AccessContext } from '../access-context.ts';
import { createRefreshToken, hashRefreshToken, REFRESH_TOKEN_LIFETIME_MS } from './refresh-token.ts';

/** Adds a device to the user's. */
export async function createDevice(
  context: AccessContext,
  transaction: MetadataTransaction,
  user: UserRecord,
  name: string,
): Promise<DeviceRecord> {
  const now = context.environment.clock.now();
  const device: DeviceRecord = {
    deviceId: createId<DeviceId>(context.environment.random.bytes(16)),
    userId: user.userId,
    name,
    createdAt: now,
    lastSeenAt: now,
    revokedAt: null,
  };
  await transaction.insertDevice(device);
  return device;
}

/** Gives the device a refresh token (kept as its hash) and an access token. */
export async function startSession(
  context: AccessContext,
  transaction: MetadataTransaction,
  session: { readonly user: UserRecord; readonly device: DeviceRecord; readonly rootId: EntryId },
): Promise<SignedIn> {
  const { user, device, rootId } = session;
  const now = context.environment.clock.now();
  const refreshToken = createRefreshToken(context.environment.random);
  await transaction.insertRefreshToken({
    tokenHash: hashRefreshToken(refreshToken) as string,
    deviceId: device.deviceId,
    state: 'current',
    issuedAt: now,
    expiresAt: now + REFRESH_TOKEN_LIFETIME_MS,
  });
  const access = await context.accessTokens.sign({
    userId: user.userId,
    deviceId: device.deviceId,
    role: user.role,
  });
  return {
    user: { userId: user.userId, username: user.username, role: user.role },
    device: { deviceId: device.deviceId, name: device.name },
    spaceId: user.personalSpaceId,
    rootId,
    accessToken: access.token,
    accessTokenExpiresAt: access.expiresAt,
    refreshToken,
  };
}
