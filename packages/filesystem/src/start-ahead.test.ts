import { createSimulatedEnvironment } from '@cairn/environment';
import { describe, expect, it } from 'vitest';
import type { Filesystem, WatchHint } from './filesystem.ts';
import { createMemoryFilesystem } from './memory/memory-filesystem.ts';
import { startAhead } from './start-ahead.ts';

/** Longer than hints are gathered. */
const SOON_MS = 100;

async function start() {
  const environment = createSimulatedEnvironment({ seed: 1 });
  const memory = createMemoryFilesystem({ environment });
  memory.user.makeFolder('a');
  memory.user.makeFolder('b');
  memory.user.writeFile('a/file', 'one');
  const filesystem = await startAhead(memory.filesystem, environment.timers);
  return { environment, memory, filesystem };
}

function follow(filesystem: Filesystem): WatchHint[] {
  const hints: WatchHint[] = [];
  void filesystem.watch((hint) => hints.push(hint));
  return hints;
}

describe('a start ahead', () => {
  it('hands over what was listed, once', async () => {
    const { filesystem } = await start();
    const listing = filesystem.takeAhead?.();
    expect((await listing?.take('a'))?.items().map(({ name }) => name)).toEqual(['file']);
    expect(await listing?.take('a')).toBeNull();
    expect(filesystem.takeAhead?.()).toBeNull();
    listing?.close();
    expect(await listing?.take('b')).toBeNull();
    await filesystem.close();
  });

  it.each(['before', 'after'])(
    'does not hand over a folder that was hinted at %s it was taken',
    async (when) => {
      const { environment, memory, filesystem } = await start();
      let listing = when === 'after' ? filesystem.takeAhead?.() : undefined;
      memory.user.writeFile('a/file', 'two');
      await environment.advance(SOON_MS);
      listing ??= filesystem.takeAhead?.();
      expect(await listing?.take('a')).toBeNull();
      expect(await listing?.take('b')).not.toBeNull();
      await filesystem.close();
    },
  );

  it('does not hand over a folder that is hinted at while it is waited for', async () => {
    const { environment, memory } = await start();
    let answer = (): void => undefined;
    const slow: Filesystem = {
      ...memory.filesystem,
      listAhead: () => {
        const listing = memory.filesystem.listAhead?.();
        return {
          startedAtMs: 0,
          begin: () => listing?.begin(),
          take: (path) => new Promise((resolve) => (answer = () => resolve(listing?.take(path) ?? null))),
          close: () => undefined,
        };
      },
    };
    const filesystem = await startAhead(slow, environment.timers);
    const taken = filesystem.takeAhead?.()?.take('a');
    memory.user.writeFile('a/file', 'two');
    await environment.advance(SOON_MS);
    answer();
    expect(await taken).toBeNull();
    await filesystem.close();
  });

  it('hands over nothing after hints may have been lost', async () => {
    const { environment, memory, filesystem } = await start();
    const listing = filesystem.takeAhead?.();
    memory.loseEvents('a test');
    await environment.advance(SOON_MS);
    expect(await listing?.take('b')).toBeNull();
    await filesystem.close();
  });

  it.each(['at once', 'later'])('hands over nothing where hints do not come, as is told %s', async (when) => {
    const { environment, memory } = await start();
    const says: WatchHint = { kind: 'watching', works: false, reason: 'a test' };
    let tell = (): void => undefined;
    const silent: Filesystem = {
      ...memory.filesystem,
      async watch(onHint) {
        if (when === 'at once') onHint(says);
        tell = () => onHint(says);
        return { close: () => undefined };
      },
    };
    const filesystem = await startAhead(silent, environment.timers);
    if (when === 'later') tell();
    expect(filesystem.takeAhead?.()).toBeNull();
    expect(follow(filesystem)).toContainEqual(says);
    await filesystem.close();
  });

  it.each([
    { watching: 'works', steps: ['made', 'watched', 'begun'] },
    { watching: 'fails', steps: ['made', 'closed'] },
    { watching: 'does not work here', steps: ['made', 'watched', 'closed'] },
  ])('lists only what is watched already: watching $watching', async ({ watching, steps }) => {
    const environment = createSimulatedEnvironment({ seed: 1 });
    const memory = createMemoryFilesystem({ environment });
    const done: string[] = [];
    const starting = startAhead(
      {
        ...memory.filesystem,
        listAhead: () => {
          done.push('made');
          return {
            startedAtMs: 0,
            begin: () => void done.push('begun'),
            take: async () => null,
            close: () => void done.push('closed'),
          };
        },
        async watch(onHint, onStir) {
          if (watching === 'fails') throw new Error('no watch to be had');
          const watch = await memory.filesystem.watch(onHint, onStir);
          if (watching !== 'works') onHint({ kind: 'watching', works: false, reason: 'a test' });
          done.push('watched');
          return watch;
        },
      },
      environment.timers,
    );
    if (watching === 'fails') await expect(starting).rejects.toThrow('no watch to be had');
    else await starting;
    expect(done).toEqual(steps);
  });

  it('forgets what nobody takes', async () => {
    const { environment, filesystem } = await start();
    await environment.advance(120_000);
    expect(filesystem.takeAhead?.()).toBeNull();
    await filesystem.close();
  });

  it('tells who begins to watch what happened since', async () => {
    const { environment, memory, filesystem } = await start();
    memory.user.writeFile('a/file', 'two');
    memory.user.writeFile('a/other', '');
    await environment.advance(SOON_MS);
    memory.loseEvents('a test');
    await environment.advance(SOON_MS);
    const hints = follow(filesystem);
    expect(hints).toContainEqual({ kind: 'folder', path: 'a' });
    expect(hints.at(-1)).toEqual({ kind: 'lost', reason: 'a test' });
    expect(new Set(hints.map((hint) => JSON.stringify(hint))).size).toBe(hints.length);
    memory.user.writeFile('b/file', '');
    await environment.advance(SOON_MS);
    expect(hints).toContainEqual({ kind: 'folder', path: 'b' });
    await filesystem.close();
  });
});
