import { statfsSync } from 'node:fs';

/** Filesystems that others change behind our back, by the magic numbers of Linux: their events are only our own. */
const NETWORK_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x517b, 'SMB'],
  [0x01021997, '9P'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x47504653, 'GPFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
]);

/** Name of the network filesystem that a folder is on; `null` for a disk of this machine, or when it cannot be told. */
export function findNetworkDisk(path: string, readType: (path: string) => number = typeOf): string | null {
  if (process.platform !== 'linux') return null;
  try {
    return NETWORK_TYPES.get(readType(path) >>> 0) ?? null;
  } catch {
    // What is wrong with it is found by those who read it.
    return null;
  }
}

function typeOf(path: string): number {
  return Number(statfsSync(path).type);
}
