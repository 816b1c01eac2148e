import type { DeviceDescription } from '@cairn/protocol';
import type { AccessContext } from '../access-context.ts';
import type { Principal } from '../authorisation/principal.ts';

/** A device's last sign of life is noted at most this often. */
const SEEN_STEP_MS = 60_000;

/** See `DevicesService.list`. */
export async function listDevices(
  context: AccessContext,
  principal: Principal,
): Promise<DeviceDescription[]> {
  const devices = await context.store.read((reader) => reader.listDevices(principal.userId));
  return devices
    .map(({ deviceId, name, createdAt, lastSeenAt, revokedAt }) => ({
      deviceId,
      name,
      createdAt,
      lastSeenAt,
      revokedAt,
      current: deviceId === principal.deviceId,
    }))
    .sort(
      (one, other) =>
        Number(one.revokedAt !== null) - Number(other.revokedAt !== null) ||
        other.lastSeenAt - one.lastSeenAt,
    );
}

/** See `DevicesService.noteSeen`. */
export async function noteDeviceSeen(context: AccessContext, principal: Principal): Promise<void> {
  const now = context.environment.clock.now();
  const device = await context.store.read((reader) => reader.getDevice(principal.deviceId));
  if (device === undefined || now - device.lastSeenAt < SEEN_STEP_MS) return;
  await context.store.transact((transaction) =>
    transaction.updateDevice(principal.deviceId, { lastSeenAt: now }),
  );
}

/** See `DevicesService.isActive`. */
export async function isDeviceActive(context: AccessContext, principal: Principal): Promise<boolean> {
  const device = await context.store.read((reader) => reader.getDevice(principal.deviceId), {
    sees: 'latest',
  });
  return device !== undefined && device.userId === principal.userId && device.revokedAt === null;
}
