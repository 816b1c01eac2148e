import { createSimulatedEnvironment } from '@cairn/environment';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WatchHint } from '../filesystem.ts';
import { createMemoryFilesystem, type MemoryFilesystem } from './memory-filesystem.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

async function put(memory: MemoryFilesystem, path: string, text: string, sync = true): Promise<void> {
  const temporary = await memory.filesystem.openTemporary('t');
  await temporary.truncate(0);
  await temporary.write(bytes(text), 0);
  if (sync) await temporary.sync();
  const current = await memory.filesystem.status(path);
  await memory.filesystem.place(temporary, path, current ?? { absent: true }, {});
}

function readAll(memory: MemoryFilesystem, path: string): string {
  return new TextDecoder().decode(memory.user.readFile(path));
}

describe('simulated hazards', () => {
  it('answers faults with the port’s errors, never with absence', async () => {
    const memory = createMemoryFilesystem({ environment: createSimulatedEnvironment({ seed: 1 }) });
    memory.user.makeFolder('d');
    memory.user.writeFile('d/f', 'x');
    for (const code of ['EACCES', 'EIO', 'ELOOP', 'ESTALE', 'ENOTCONN']) {
      memory.setFaults((_, path) => (path.startsWith('d') ? code : null));
      await expect(memory.filesystem.list('d')).rejects.toMatchObject({ code: 'local-io' });
      await expect(memory.filesystem.status('d/f')).rejects.toMatchObject({ code: 'local-io' });
      await expect(memory.filesystem.status('d/absent')).rejects.toMatchObject({ code: 'local-io' });
      await expect(memory.filesystem.openRead('d/f')).rejects.toMatchObject({
        code: 'local-io',
        details: { systemCode: code, path: 'd/f' },
      });
    }
    memory.setFaults(null);
    expect(await memory.filesystem.status('d/absent')).toBeNull();
    memory.setRootPresent(false);
    await expect(memory.filesystem.status('absent')).rejects.toMatchObject({ code: 'root-missing' });
    await expect(memory.filesystem.list('')).rejects.toMatchObject({ code: 'root-missing' });
    memory.setRootPresent(true);
    expect(await memory.filesystem.list('d')).toHaveLength(1);
  });

  it('is full at its capacity and has room again after a discard', async () => {
    const memory = createMemoryFilesystem({
      environment: createSimulatedEnvironment({ seed: 1 }),
      capacityBytes: 10,
    });
    const temporary = await memory.filesystem.openTemporary('t');
    await temporary.write(bytes('123456'), 0);
    await expect(temporary.write(bytes('123456'), 6)).rejects.toMatchObject({ code: 'local-disk-full' });
    await temporary.discard();
    expect(memory.usedBytes).toBe(0);
    await put(memory, 'a', '1234567890');
  });

  it('never makes a failed sync good by trying again', async () => {
    const memory = createMemoryFilesystem({ environment: createSimulatedEnvironment({ seed: 1 }) });
    const temporary = await memory.filesystem.openTemporary('t');
    await temporary.write(bytes('x'), 0);
    memory.setFaults((operation) => (operation === 'sync' ? 'EIO' : null));
    await expect(temporary.sync()).rejects.toMatchObject({ code: 'local-io' });
    memory.setFaults(null);
    await expect(temporary.sync()).rejects.toThrow();
    await temporary.close();
    expect((await memory.filesystem.openTemporary('t')).existingBytes).toBe(0);
  });

  it('after a power cut has old or new complete bytes where everything was synced in order [S-4 S-10]', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 0, max: 5 }), async (seed, rounds) => {
        const memory = createMemoryFilesystem({ environment: createSimulatedEnvironment({ seed }) });
        memory.user.writeFile('f', 'version 0');
        for (let round = 1; round <= rounds; round++) await put(memory, 'f', `version ${round}`);
        await memory.filesystem.syncFolders(['']);
        await put(memory, 'f', 'the next one');
        memory.crash();
        expect([`version ${rounds}`, 'the next one']).toContain(readAll(memory, 'f'));
        // Everything displaced before the last syncFolders is still there.
        expect((await memory.filesystem.listRescued()).length).toBeGreaterThanOrEqual(rounds);
      }),
      { numRuns: 200 },
    );
  });

  it('shows what forgetting to sync the bytes costs', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const memory = createMemoryFilesystem({ environment: createSimulatedEnvironment({ seed }) });
      await put(memory, 'f', 'complete', false);
      await memory.filesystem.syncFolders(['']);
      memory.crash();
      outcomes.add(readAll(memory, 'f') === 'complete' ? 'complete' : 'torn');
    }
    expect(outcomes).toContain('torn');
  });

  it('can lose names that were not synced, and moves stay whole', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const memory = createMemoryFilesystem({ environment: createSimulatedEnvironment({ seed }) });
      memory.user.makeFolder('d');
      memory.user.writeFile('f', 'x');
      const status = await memory.filesystem.status('f');
      await memory.filesystem.move('f', 'd/g', status?.identity ?? '');
      memory.crash();
      outcomes.add(memory.user.describe().join());
    }
    expect([...outcomes].sort()).toEqual(['d folder,d/g file 78', 'd folder,f file 78']);
  });

  it('loses nothing that comes under a name in the middle of its move', async () => {
    const memory = createMemoryFilesystem({ environment: createSimulatedEnvironment({ seed: 1 }) });
    memory.user.writeFile('a', 'old');
    const { identity } = (await memory.filesystem.status('a')) ?? { identity: '' };
    memory.setFaults((operation, path) => {
      if (operation !== 'move' || path !== 'b') return null;
      memory.user.writeFile('new', 'new');
      memory.user.rename('new', 'a');
      return null;
    });
    await expect(memory.filesystem.move('a', 'b', identity)).rejects.toMatchObject({ code: 'local-changed' });
    expect(readAll(memory, 'a')).toBe('new');
  });

  it('folds names as told', async () => {
    const memory = createMemoryFilesystem({
      environment: createSimulatedEnvironment({ seed: 1 }),
      capabilities: { caseSensitive: false, unicodeSensitive: false },
    });
    memory.user.writeFile('\u00c9t\u00e9', 'x');
    const status = await memory.filesystem.status('e\u0301TE\u0301');
    expect(status?.sizeBytes).toBe(1);
    await expect(put(memory, '.CAIRN', 'x')).rejects.toMatchObject({ code: 'bad-path' });
    await memory.filesystem.move('\u00c9t\u00e9', '\u00e9t\u00e9', status?.identity ?? '');
    expect((await memory.filesystem.list('')).map((item) => item.name)).toEqual(['\u00e9t\u00e9']);
  });

  it('cuts times to its granularity', async () => {
    const memory = createMemoryFilesystem({
      environment: createSimulatedEnvironment({ seed: 1 }),
      timeGranularityNs: 2_000_000_000n,
    });
    memory.user.writeFile('f', 'x');
    memory.user.setModifiedAt('f', 3_999_999);
    expect((await memory.filesystem.status('f'))?.modifiedAtNs).toBe(2_000_000_000n);
    memory.user.setModifiedAt('f', -1);
    expect((await memory.filesystem.status('f'))?.modifiedAtNs).toBe(-2_000_000_000n);
  });

  it('hints, coalesced, unless hints are dropped, and gives up detail in a burst', async () => {
    const environment = createSimulatedEnvironment({ seed: 1 });
    const memory = createMemoryFilesystem({ environment });
    const hints: WatchHint[] = [];
    const watch = await memory.filesystem.watch((hint) => hints.push(hint));
    memory.user.makeFolder('d');
    memory.user.writeFile('d/f', '1');
    memory.user.writeFile('d/f', '2');
    expect(hints).toEqual([]);
    await environment.advance(100);
    expect(hints.filter((hint) => hint.kind === 'folder' && hint.path === 'd')).toHaveLength(1);
    hints.length = 0;
    memory.setHintsDropped(true);
    memory.user.writeFile('d/f', '3');
    await environment.advance(100);
    expect(hints).toEqual([]);
    memory.setHintsDropped(false);
    for (let index = 0; index < 5000; index++) memory.user.writeFile('d/f', `${index}`);
    await environment.advance(100);
    expect(hints).toContainEqual(expect.objectContaining({ kind: 'lost' }));
    watch.close();
    hints.length = 0;
    memory.user.writeFile('d/f', '4');
    await environment.advance(100);
    expect(hints).toEqual([]);
  });

  it('replays bit for bit from a seed', async () => {
    const run = async () => {
      const memory = createMemoryFilesystem({ environment: createSimulatedEnvironment({ seed: 42 }) });
      for (let index = 0; index < 20; index++) await put(memory, `f${index % 4}`, `${index}`);
      memory.crash();
      const status = await Promise.all((await memory.filesystem.list('')).map((item) => item.status));
      return JSON.stringify([status, memory.user.describe()], (_, value) =>
        typeof value === 'bigint' ? String(value) : value,
      );
    };
    expect(await run()).toBe(await run());
  });
});
