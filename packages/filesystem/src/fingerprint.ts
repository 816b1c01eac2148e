/** What every adapter's fingerprint is made of. */
export interface FingerprintParts {
  readonly inode: bigint | number;
  readonly sizeBytes: bigint | number;
  readonly modifiedAtNs: bigint;
  readonly changedAtNs: bigint;
}

export function formatFingerprint({ inode, sizeBytes, modifiedAtNs, changedAtNs }: FingerprintParts): string {
  return `${inode}:${sizeBytes}:${modifiedAtNs}:${changedAtNs}`;
}

/**
 * Whether nothing but the time of the last change of anything differs, which is all that a rename does. Only then
 * is an object under another name certainly the same one where identities say little: on disks that keep no birth
 * times, a new file may have the identity of a deleted one.
 */
export function isSameButRenamed(fingerprint: string, other: string): boolean {
  const cut = (text: string) => text.slice(0, text.lastIndexOf(':'));
  return cut(fingerprint) === cut(other);
}
