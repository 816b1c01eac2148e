import type { DeviceRecord, MetadataTransaction, UserRecord } from '@cairn/metadata-store';
import { CairnError, type DeviceId, foldName } from '@cairn/model';
import type { LoginRequest, SignedIn } from '@cairn/protocol';
import type { AccessContext } from '../access-context.ts';
import type { Caller } from '../access-services-types.ts';
import { checkDeviceName } from '../accounts/account-rules.ts';
import type { Attempt } from './attempt-throttle.ts';
import { createDevice, startSession } from './start-session.ts';

function beginAttempts(context: AccessContext, foldedUsername: string, address: string | null): Attempt[] {
  const attempts: Attempt[] = [];
  try {
    // Counted before the password is looked at: many guesses at once are not more than many in a row.
    attempts.push(context.accountThrottle.begin([foldedUsername, address]));
    attempts.push(context.everywhereThrottle.begin([foldedUsername]));
    if (address !== null) attempts.push(context.addressThrottle.begin([address]));
  } catch (error) {
    for (const attempt of attempts) attempt.withdraw();
    throw error;
  }
  return attempts;
}

/** The device that signs in: the named one if it is this user's and was not signed out, else a new one. */
async function chooseDevice(
  context: AccessContext,
  transaction: MetadataTransaction,
  user: UserRecord,
  request: { readonly deviceId: DeviceId | undefined; readonly deviceName: string },
): Promise<DeviceRecord> {
  const known = request.deviceId === undefined ? undefined : await transaction.getDevice(request.deviceId);
  if (known === undefined || known.userId !== user.userId || known.revokedAt !== null) {
    return createDevice(context, transaction, user, request.deviceName);
  }
  const changes = { name: request.deviceName, lastSeenAt: context.environment.clock.now() };
  await transaction.killRefreshTokens(known.deviceId);
  await transaction.updateDevice(known.deviceId, changes);
  return { ...known, ...changes };
}

/** See `SessionsService.login`. */
export async function login(
  context: AccessContext,
  request: LoginRequest,
  caller: Caller,
): Promise<SignedIn> {
  const { store, environment, passwords } = context;
  const deviceName = checkDeviceName(request.deviceName);
  const foldedUsername = foldName(request.username);
  const attempts = beginAttempts(context, foldedUsername, caller.address);

  const user = await store.read((reader) => reader.getUserByName(foldedUsername));
  let right: boolean;
  try {
    right = await passwords.verify(request.password, user?.passwordHash ?? null);
  } catch (error) {
    for (const attempt of attempts) attempt.withdraw();
    throw error;
  }
  if (user === undefined || !right) {
    environment.log.warn('session.login-failed', { userId: user?.userId ?? null, address: caller.address });
    throw new CairnError(
      'wrong-credentials',
      'the username or the password is wrong; check both and try again',
    );
  }
  // The address stays counted, or an attacker would clear it with an account of their own.
  attempts[0]?.succeed();
  attempts[1]?.succeed();
  attempts[2]?.withdraw();

  const signedIn = await store.transact(async (transaction) => {
    const space = await transaction.getSpace(user.personalSpaceId);
    if (space === undefined) throw new Error('a user has no personal space');
    const device = await chooseDevice(context, transaction, user, {
      deviceId: request.deviceId,
      deviceName,
    });
    return startSession(context, transaction, { user, device, rootId: space.rootId });
  });
  environment.log.info('session.login', { userId: user.userId, deviceId: signedIn.device.deviceId });
  return signedIn;
}
