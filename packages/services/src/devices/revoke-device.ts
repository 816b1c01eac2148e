import { CairnError, type DeviceId } from '@cairn/model';
import type { AccessContext } from '../access-context.ts';
import type { Principal } from '../authorisation/principal.ts';

/** See `DevicesService.revoke`. Doing it again changes nothing. */
export async function revokeDevice(
  context: AccessContext,
  principal: Principal,
  deviceId: DeviceId,
): Promise<void> {
  const { store, bus, environment } = context;
  await store.transact(async (transaction) => {
    const device = await transaction.getDevice(deviceId);
    if (device === undefined || device.userId !== principal.userId) {
      throw new CairnError('not-found', 'there is no such device, or it is not yours; check the id');
    }
    await transaction.killRefreshTokens(deviceId);
    if (device.revokedAt === null) {
      await transaction.updateDevice(deviceId, { revokedAt: environment.clock.now() });
    }
  });
  bus.publish({ kind: 'device-revoked', userId: principal.userId, deviceId });
  environment.log.info('audit.device-revoked', {
    userId: principal.userId,
    deviceId,
    by: principal.deviceId,
  });
}
