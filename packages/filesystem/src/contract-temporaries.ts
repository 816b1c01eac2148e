import { expect, it } from 'vitest';
import { ABSENT, type ContractTools } from './contract-tools.ts';

const encode = (text: string) => new TextEncoder().encode(text);

export function describeTemporaries({ filesystem, user, read }: ContractTools): void {
  it('resumes a temporary by its name [S-7]', async () => {
    const first = await filesystem().openTemporary('download-1');
    expect(first.existingBytes).toBe(0);
    await first.write(encode('hello wor'), 0);
    await first.close();
    const second = await filesystem().openTemporary('download-1');
    expect(second.existingBytes).toBe(9);
    const into = new Uint8Array(5);
    expect(await second.read(into, 0)).toBe(5);
    expect(new TextDecoder().decode(into)).toBe('hello');
    await second.truncate(5);
    await second.write(encode('!'), 5);
    await second.sync();
    await filesystem().place(second, 'a', ABSENT, {});
    expect(await read('a')).toBe('hello!');
    const third = await filesystem().openTemporary('download-1');
    expect(third.existingBytes).toBe(0);
    await third.discard();
  });

  it('has the bytes that were written, zeros in long runs among them, over others too', async () => {
    const run = 200_000;
    const bytes = new Uint8Array(5 * run).fill(0x41);
    bytes.fill(0, 0, run);
    bytes.fill(0, 2 * run, 3 * run);
    bytes.fill(0, 4 * run);
    const temporary = await filesystem().openTemporary('holes');
    // Where something was written before, zeros replace it.
    await temporary.write(bytes.subarray(run, 2 * run), 0);
    await temporary.write(bytes.subarray(0, run), 0);
    for (let from = run; from < bytes.length; from += run)
      await temporary.write(bytes.subarray(from, from + run), from);
    await temporary.truncate(4 * run);
    await temporary.write(bytes.subarray(4 * run), 4 * run);
    const into = new Uint8Array(bytes.length);
    for (let at = 0; at < into.length; ) {
      const count = await temporary.read(into.subarray(at), at);
      expect(count).toBeGreaterThan(0);
      at += count;
    }
    expect(Buffer.compare(into, bytes)).toBe(0);
    await temporary.close();
    const again = await filesystem().openTemporary('holes');
    expect(again.existingBytes).toBe(bytes.length);
    await again.discard();
  });

  it('keeps a temporary when placing it was refused', async () => {
    user().writeFile('a', 'theirs');
    const temporary = await filesystem().openTemporary('t');
    await temporary.write(encode('ours'), 0);
    await temporary.sync();
    await expect(filesystem().place(temporary, 'a', ABSENT, {})).rejects.toMatchObject({
      code: 'local-changed',
    });
    await filesystem().place(temporary, 'b', ABSENT, {});
    expect(await read('b')).toBe('ours');
    await expect(filesystem().place(temporary, 'c', ABSENT, {})).rejects.toThrow();
  });

  it('has the same attributes whether they are set before it is durable, when it is placed, or differently each time', async () => {
    const wanted = { executable: true, modifiedAtUs: 1_600_000_000_123_456 };
    const other = { executable: false, modifiedAtUs: 1_500_000_000_654_321 };
    for (const [name, before] of [
      ['early', wanted],
      ['late', undefined],
      ['changed', other],
    ] as const) {
      const temporary = await filesystem().openTemporary(name);
      await temporary.write(encode(name), 0);
      await temporary.sync(before);
      const status = await filesystem().place(temporary, name, ABSENT, wanted);
      expect(status.executable).toBe(true);
      expect(status.modifiedAtNs / 1000n).toBe(BigInt(wanted.modifiedAtUs));
      expect(await read(name)).toBe(name);
    }
  });

  it('is invisible, opened once, and well named', async () => {
    const temporary = await filesystem().openTemporary('t');
    expect(await filesystem().list('')).toEqual([]);
    await expect(filesystem().openTemporary('t')).rejects.toThrow(/open already/);
    await temporary.discard();
    await expect(temporary.write(encode('x'), 0)).rejects.toThrow(/closed/);
    for (const name of ['', '..', 'a/b', 'a.b', 'x'.repeat(121)]) {
      await expect(filesystem().openTemporary(name)).rejects.toMatchObject({ code: 'bad-name' });
    }
  });

  it('tidies temporaries that nobody has open', async () => {
    const left = await filesystem().openTemporary('left');
    await left.write(encode('x'), 0);
    await left.close();
    const used = await filesystem().openTemporary('used');
    await used.write(encode('x'), 0);
    await filesystem().removeOldTemporaries(3_600_000);
    const again = await filesystem().openTemporary('left');
    expect(again.existingBytes).toBe(1);
    await again.close();
    await filesystem().removeOldTemporaries(-60_000);
    const gone = await filesystem().openTemporary('left');
    expect(gone.existingBytes).toBe(0);
    await gone.discard();
    await used.sync();
    await filesystem().place(used, 'used', ABSENT, {});
    expect(await read('used')).toBe('x');
  });

  it('tidies only temporaries whose names begin so, where that is asked', async () => {
    for (const name of ['ahead-1', 'other-1']) {
      const temporary = await filesystem().openTemporary(name);
      await temporary.write(encode('x'), 0);
      await temporary.close();
    }
    await filesystem().removeOldTemporaries(-60_000, 'ahead-');
    const gone = await filesystem().openTemporary('ahead-1');
    const left = await filesystem().openTemporary('other-1');
    expect([gone.existingBytes, left.existingBytes]).toEqual([0, 1]);
  });

  it('goes on under the name of another temporary, whose bytes are lost [S-7]', async () => {
    const old = await filesystem().openTemporary('download-1');
    await old.write(encode('of an earlier run'), 0);
    await old.close();
    const temporary = await filesystem().openTemporary('ahead-1');
    await temporary.write(encode('hello'), 0);
    await temporary.rename('download-1');
    await expect(filesystem().openTemporary('download-1')).rejects.toThrow(/open already/);
    await temporary.write(encode('!'), 5);
    await temporary.close();
    const again = await filesystem().openTemporary('download-1');
    expect(again.existingBytes).toBe(6);
    await again.sync();
    await filesystem().place(again, 'a', ABSENT, {});
    expect(await read('a')).toBe('hello!');
    const first = await filesystem().openTemporary('ahead-1');
    expect(first.existingBytes).toBe(0);
    await first.discard();
  });

  it('does not take the name of a temporary that is open, or one that no temporary has', async () => {
    const one = await filesystem().openTemporary('one');
    const other = await filesystem().openTemporary('other');
    await expect(one.rename('other')).rejects.toThrow(/open already/);
    await expect(one.rename('../other')).rejects.toMatchObject({ code: 'bad-name' });
    await one.write(encode('1'), 0);
    await one.sync();
    await filesystem().place(one, 'a', ABSENT, {});
    expect(await read('a')).toBe('1');
    await expect(one.rename('later')).rejects.toThrow(/closed/);
    await other.discard();
  });

  it('knows how much can still be written, or that it does not', async () => {
    const free = await filesystem().freeBytes();
    expect(free === null || free > 0).toBe(true);
  });

  it('writes beyond the end and in large pieces', async () => {
    const temporary = await filesystem().openTemporary('t');
    const piece = new Uint8Array(300_000).fill(7);
    await temporary.write(piece, 100);
    const into = new Uint8Array(300_100);
    expect(await temporary.read(into, 0)).toBe(300_100);
    expect(into[99]).toBe(0);
    expect(into[100]).toBe(7);
    expect(into[300_099]).toBe(7);
    await temporary.discard();
  });
}
