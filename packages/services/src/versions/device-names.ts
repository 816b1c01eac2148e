import type { MetadataReader } from '@cairn/metadata-store';
import type { DeviceId, UserId, Version } from '@cairn/model';

/** A version with the name of the device that saved it. */
export interface NamedVersion extends Version {
  /** What the device is called now. */
  readonly deviceName: string;
}

export interface KnownDevice {
  readonly name: string;
  readonly userId: UserId | null;
}

const UNKNOWN: KnownDevice = { name: 'Unknown device', userId: null };

/** Devices of a space's journal by id; revoked ones have names, too. */
export async function readDevices(
  reader: MetadataReader,
  deviceIds: Iterable<DeviceId>,
): Promise<(deviceId: DeviceId) => KnownDevice> {
  const devices = new Map<DeviceId, KnownDevice>();
  for (const deviceId of new Set(deviceIds)) {
    const device = await reader.getDevice(deviceId);
    if (device !== undefined) devices.set(deviceId, { name: device.name, userId: device.userId });
  }
  return (deviceId) => devices.get(deviceId) ?? UNKNOWN;
}

/** The versions with the names of their devices, in the same order. */
export async function nameVersions(
  reader: MetadataReader,
  versions: readonly Version[],
): Promise<NamedVersion[]> {
  const deviceOf = await readDevices(
    reader,
    versions.map(({ deviceId }) => deviceId),
  );
  return versions.map((version) => ({ ...version, deviceName: deviceOf(version.deviceId).name }));
}

/** One version with the name of its device. */
export async function nameVersion(reader: MetadataReader, version: Version): Promise<NamedVersion> {
  const device = await reader.getDevice(version.deviceId);
  return { ...version, deviceName: device?.name ?? UNKNOWN.name };
}
