import { CairnError } from '@cairn/model';
import type { AccessContext } from '../access-context.ts';
import type { AccountsService } from '../access-services-types.ts';
import type { Principal } from '../authorisation/principal.ts';

/** See `AccountsService.describeSignUp`. */
export async function describeSignUp(context: AccessContext): ReturnType<AccountsService['describeSignUp']> {
  const users = await context.store.read((reader) => reader.countUsers());
  const hasAccounts = users > 0;
  return {
    signUp: context.signUp,
    setUpNeeded: !hasAccounts,
    needsSetUpCode: !hasAccounts && context.signUp === 'invite',
    hasAccounts,
  };
}

/** See `AccountsService.describe`. */
export async function describeAccount(
  context: AccessContext,
  principal: Principal,
): ReturnType<AccountsService['describe']> {
  return context.store.read(async (reader) => {
    const user = await reader.getUser(principal.userId);
    const device = await reader.getDevice(principal.deviceId);
    const epoch = await reader.getValue('epoch');
    if (user === undefined || device === undefined) {
      throw new CairnError('session-revoked', 'this account or device is gone; sign in again');
    }
    if (epoch === undefined) throw new Error('the metadata store has no epoch');
    const spaces = [];
    for (const space of await reader.listSpaces(user.userId)) {
      const role = await reader.getMemberRole(space.spaceId, user.userId);
      if (role === undefined) continue;
      const { spaceId, kind, rootId, sequence } = space;
      spaces.push({ spaceId, kind, rootId, role, sequence });
    }
    return {
      user: { userId: user.userId, username: user.username, role: user.role },
      device: { deviceId: device.deviceId, name: device.name },
      spaces,
      epoch,
    };
  });
}
