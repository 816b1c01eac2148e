import type { ChunkProfile } from '@cairn/model';

const MIB = 1024 * 1024;

interface Band {
  readonly profile: ChunkProfile;
  /** Sizes from here on (inclusive) … */
  readonly fromBytes: number;
  /** … to here (exclusive). */
  readonly toBytes: number;
}

const BANDS: readonly [Band, ...Band[]] = [
  { profile: 't32-64k', fromBytes: 0, toBytes: 64 * MIB },
  { profile: 't32-256k', fromBytes: 64 * MIB, toBytes: 1024 * MIB },
  { profile: 't32-1m', fromBytes: 1024 * MIB, toBytes: Number.POSITIVE_INFINITY },
];

/** How far outside of its band a file may grow or shrink before it is cut anew from scratch. */
const PATIENCE = 4;

/**
 * The profile to cut a file of this size with. A file that was cut before keeps its profile, and so shares its
 * chunks with the last version, until its size is off the profile's band by more than four times.
 * @param base profile of the version before, or `null`
 */
export function chooseProfile(sizeBytes: number, base: ChunkProfile | null): ChunkProfile {
  const kept = BANDS.find((band) => band.profile === base);
  if (kept !== undefined && sizeBytes * PATIENCE >= kept.fromBytes && sizeBytes <= kept.toBytes * PATIENCE) {
    return kept.profile;
  }
  return (BANDS.find((band) => sizeBytes < band.toBytes) ?? BANDS[0]).profile;
}
