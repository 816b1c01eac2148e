import { CairnError } from '@cairn/model';
import type { AccessContext } from '../access-context.ts';
import type { AuthenticatedToken } from '../access-services-types.ts';

/** See `SessionsService.authenticate`. */
export async function authenticate(context: AccessContext, accessToken: string): Promise<AuthenticatedToken> {
  const { userId, deviceId, expiresAt } = await context.accessTokens.verify(accessToken);
  // Only after the flush does anybody have the token of a new device.
  const { user, device } = await context.store.read(
    async (reader) => ({
      user: await reader.getUser(userId),
      device: await reader.getDevice(deviceId),
    }),
    { sees: 'latest' },
  );
  if (user === undefined || device === undefined || device.userId !== userId || device.revokedAt !== null) {
    throw new CairnError('session-revoked', 'this device was signed out; sign in again');
  }
  // The role is the one of now, not the one of when the token was made.
  return { principal: { userId, deviceId, role: user.role }, expiresAt };
}
