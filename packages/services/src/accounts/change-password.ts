import { CairnError } from '@cairn/model';
import type { PasswordRequest } from '@cairn/protocol';
import type { AccessContext } from '../access-context.ts';
import type { Caller } from '../access-services-types.ts';
import type { Principal } from '../authorisation/principal.ts';
import { checkPassword } from './account-rules.ts';

/** See `AccountsService.changePassword`. */
export async function changePassword(
  context: AccessContext,
  principal: Principal,
  request: PasswordRequest,
  caller: Caller,
): Promise<void> {
  const { store, bus, environment, passwords } = context;
  const { userId, deviceId } = principal;
  const newPassword = checkPassword(request.newPassword);
  const user = await store.read((reader) => reader.getUser(userId));
  if (user === undefined) throw new CairnError('session-revoked', 'this account is gone; sign in again');
  // Somebody at a device that was left open guesses no faster than somebody who signs in.
  const attempt = context.accountThrottle.begin([user.foldedUsername, caller.address]);
  let right: boolean;
  try {
    right = await passwords.verify(request.currentPassword, user.passwordHash);
  } catch (error) {
    attempt.withdraw();
    throw error;
  }
  if (!right) {
    environment.log.warn('account.password-wrong', { userId, deviceId });
    throw new CairnError('wrong-credentials', 'the current password is wrong; check it and try again');
  }
  attempt.succeed();
  const passwordHash = await passwords.hash(newPassword);

  const signedOut = await store.transact(async (transaction) => {
    const now = await transaction.getUser(userId);
    if (now?.passwordHash !== user.passwordHash) {
      throw new CairnError(
        'wrong-credentials',
        'the password was changed meanwhile; sign in with the new one',
      );
    }
    await transaction.setPasswordHash(userId, passwordHash);
    if (request.signOutOthers !== true) return [];
    const devices = await transaction.listDevices(userId);
    const others = devices.filter((device) => device.deviceId !== deviceId && device.revokedAt === null);
    for (const other of others) {
      await transaction.killRefreshTokens(other.deviceId);
      await transaction.updateDevice(other.deviceId, { revokedAt: environment.clock.now() });
    }
    return others;
  });
  for (const other of signedOut) bus.publish({ kind: 'device-revoked', userId, deviceId: other.deviceId });
  environment.log.info('audit.password-changed', { userId, deviceId, signedOut: signedOut.length });
}
