import { createHash, timingSafeEqual } from 'node:crypto';
import type { MetadataTransaction, UserRecord } from '@cairn/metadata-store';
import { CairnError, createId, type EntryId, foldName, type SpaceId, type UserId } from '@cairn/model';
import type { RegisterRequest, SignedIn } from '@cairn/protocol';
import type { AccessContext } from '../access-context.ts';
import type { Caller } from '../access-services-types.ts';
import { createDevice, startSession } from '../sessions/start-session.ts';
import { checkDeviceName, checkPassword, checkUsername } from './account-rules.ts';

/** Hash over the empty journal of a space; what its first row is chained to. */
function genesisHash(spaceId: SpaceId): string {
  return createHash('sha256').update(`cairn space ${spaceId}`).digest('hex');
}

function isSetUpCode(given: string | undefined, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest((given ?? '').trim()), digest(expected));
}

function closed(): CairnError {
  return new CairnError(
    'sign-up-closed',
    'this server does not let people sign up by themselves; ask its administrator for an account',
  );
}

async function createPersonalSpace(
  context: AccessContext,
  transaction: MetadataTransaction,
  user: UserRecord,
): Promise<EntryId> {
  const rootId = createId<EntryId>(context.environment.random.bytes(16));
  await transaction.insertSpace({
    spaceId: user.personalSpaceId,
    kind: 'personal',
    ownerId: user.userId,
    rootId,
    sequence: 0,
    journalHash: genesisHash(user.personalSpaceId),
    createdAt: user.createdAt,
  });
  return rootId;
}

/**
 * Creates an account with its personal space and signs its first device in. The first account is the
 * administrator; where sign-up is by invitation it needs the set-up code.
 * @throws CairnError `sign-up-closed`, `set-up-code-wrong`, `name-taken`, `bad-name`, `bad-request`,
 * `too-many-attempts`, `unavailable`
 */
export async function registerAccount(
  context: AccessContext,
  request: RegisterRequest,
  caller: Caller,
): Promise<SignedIn> {
  const { store, environment, signUp, setUpCode } = context;
  const isSetUp = (await store.read((reader) => reader.countUsers())) > 0;
  if (signUp === 'invite') {
    if (isSetUp || setUpCode === null) throw closed();
    // Guesses are counted before they are looked at, so that many at once are not more than many in a row.
    const attempt = context.setUpThrottle.begin(['set-up code', caller.address]);
    if (!isSetUpCode(request.setUpCode, setUpCode)) {
      environment.log.warn('account.set-up-code-wrong', { address: caller.address });
      throw new CairnError(
        'set-up-code-wrong',
        'the first account needs the set-up code that the server printed when it started; copy it from there',
      );
    }
    attempt.succeed();
  }

  const username = checkUsername(request.username);
  const password = checkPassword(request.password);
  const deviceName = checkDeviceName(request.deviceName);
  const passwordHash = await context.passwords.hash(password);

  const signedIn = await store.transact(async (transaction) => {
    const others = await transaction.countUsers();
    // Asked again under the lock: two people may set up a server at the same moment.
    if (signUp === 'invite' && others > 0) throw closed();
    const foldedUsername = foldName(username);
    if ((await transaction.getUserByName(foldedUsername)) !== undefined) {
      throw new CairnError('name-taken', `the username "${username}" is taken; choose another one`);
    }
    const user: UserRecord = {
      userId: createId<UserId>(environment.random.bytes(16)),
      username,
      foldedUsername,
      passwordHash,
      role: others === 0 ? 'administrator' : 'member',
      personalSpaceId: createId<SpaceId>(environment.random.bytes(16)),
      createdAt: environment.clock.now(),
    };
    await transaction.insertUser(user);
    const rootId = await createPersonalSpace(context, transaction, user);
    const device = await createDevice(context, transaction, user, deviceName);
    return startSession(context, transaction, { user, device, rootId });
  });
  environment.log.info('account.registered', {
    userId: signedIn.user.userId,
    role: signedIn.user.role,
    deviceId: signedIn.device.deviceId,
  });
  return signedIn;
}
