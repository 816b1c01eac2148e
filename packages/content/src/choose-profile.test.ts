import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseProfile } from './choose-profile.ts';

const MIB = 1024 * 1024;

describe('chooseProfile', () => {
  it.each([
    [0, 't32-64k'],
    [64 * MIB - 1, 't32-64k'],
    [64 * MIB, 't32-256k'],
    [1024 * MIB - 1, 't32-256k'],
    [1024 * MIB, 't32-1m'],
    [1e15, 't32-1m'],
  ] as const)('cuts a new file of %i bytes with %s', (sizeBytes, profile) => {
    expect(chooseProfile(sizeBytes, null)).toBe(profile);
  });

  it('keeps the profile of the version before until the size is four times off', () => {
    expect(chooseProfile(256 * MIB, 't32-64k')).toBe('t32-64k');
    expect(chooseProfile(256 * MIB + 1, 't32-64k')).toBe('t32-256k');
    expect(chooseProfile(16 * MIB, 't32-256k')).toBe('t32-256k');
    expect(chooseProfile(16 * MIB - 1, 't32-256k')).toBe('t32-64k');
    expect(chooseProfile(4096 * MIB, 't32-256k')).toBe('t32-256k');
    expect(chooseProfile(4096 * MIB + 1, 't32-256k')).toBe('t32-1m');
    expect(chooseProfile(256 * MIB, 't32-1m')).toBe('t32-1m');
    expect(chooseProfile(256 * MIB - 1, 't32-1m')).toBe('t32-256k');
  });

  it('stays with what it has chosen while the size stays', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 45, noNaN: true }).map((power) => Math.floor(2 ** power)),
        fc.constantFrom(null, 't32-64k', 't32-256k', 't32-1m'),
        (sizeBytes, base) => {
          const chosen = chooseProfile(sizeBytes, base);
          expect(chooseProfile(sizeBytes, chosen)).toBe(chosen);
        },
      ),
    );
  });
});
