import { createSimulatedEnvironment } from '@cairn/environment';
import { describe, expect, it } from 'vitest';
import { createPasswordHasher, PASSWORD_COST } from './password-hasher.ts';

const { random } = createSimulatedEnvironment({ seed: 1 });
const CHEAP = { memoryKib: 64, passes: 1, lanes: 1 };

describe('password hashing', () => {
  it('is Argon2id with the cost of RFC 9106 and a salt of its own', async () => {
    const hasher = createPasswordHasher(random);
    const phc = await hasher.hash('correct horse');
    expect(phc).toMatch(/^\$argon2id\$v=19\$m=65536,t=3,p=4\$/);
    expect(PASSWORD_COST).toEqual({ memoryKib: 65_536, passes: 3, lanes: 4 });
    expect(await hasher.verify('correct horse', phc)).toBe(true);
    expect(await hasher.verify('correct hors', phc)).toBe(false);
    expect(await hasher.hash('correct horse')).not.toBe(phc);
  });

  it('takes the cost from the stored hash, and equal passwords in any Unicode form', async () => {
    const phc = await createPasswordHasher(random, CHEAP).hash('caf\u00e9 au lait');
    const other = createPasswordHasher(random, { ...CHEAP, passes: 2 });
    expect(await other.verify('cafe\u0301 au lait', phc)).toBe(true);
    await expect(other.verify('x', 'plain text')).rejects.toThrow('PHC');
  });

  it('works as long for nobody as for somebody, and is never right', async () => {
    const hasher = createPasswordHasher(random);
    const phc = await hasher.hash('correct horse');
    const timeOf = async (hash: string | null) => {
      const start = performance.now();
      expect(await hasher.verify('wrong', hash)).toBe(false);
      return performance.now() - start;
    };
    await timeOf(phc);
    const [known, unknown] = [await timeOf(phc), await timeOf(null)];
    // Far apart would mean that no hash was computed: this is milliseconds against microseconds.
    expect(unknown).toBeGreaterThan(known / 8);
  });

  it('bounds how many wait', async () => {
    const hasher = createPasswordHasher(random, { memoryKib: 1024, passes: 2, lanes: 1 });
    const results = await Promise.allSettled(Array.from({ length: 60 }, () => hasher.verify('x', null)));
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.length).toBe(60 - 2 - 32);
    expect(refused[0]).toMatchObject({ reason: { code: 'unavailable' } });
    expect(await hasher.verify('x', null)).toBe(false);
  });
});
