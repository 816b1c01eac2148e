import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createSimulatedEnvironment,
  createSystemEnvironment,
  type Environment,
  silentLog,
} from '@cairn/environment';
import {
  createMemoryFilesystem,
  type Filesystem,
  openNodeFilesystem,
  startAhead,
  type WatchHint,
} from '@cairn/filesystem';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LocalTree } from '../local-tree.ts';
import { openScannedDisk } from '../testing/disk-scanner.ts';
import type { Scanner } from './scan.ts';

/** What is known of a disk, and the scanner of a process that just started. */
interface Known {
  readonly local: LocalTree;
  /** Paths that were listed for real. */
  readonly listed: string[];
  start(filesystem: Filesystem): Scanner;
}

async function know(filesystem: Filesystem, environment: Environment): Promise<Known> {
  const { local, createScanner } = await openScannedDisk(filesystem, environment);
  const listed: string[] = [];
  const start = (opened: Filesystem): Scanner =>
    createScanner({
      ...opened,
      list(path) {
        listed.push(path);
        return opened.list(path);
      },
    });
  await scan(start(filesystem));
  listed.length = 0;
  return { local, listed, start };
}

function scan(scanner: Scanner) {
  return scanner.scan({ paths: [''], recursive: true });
}

/** All that is known, as text. */
function describeTree(local: LocalTree): string[] {
  const lines: string[] = [];
  for (const { entryId } of local.sketches()) {
    const node = local.get(entryId);
    if (node === undefined) continue;
    const { kind, identity, fingerprint, state } = node;
    lines.push([local.path(entryId), kind, identity, kind === 'folder' ? '' : fingerprint, state].join(' '));
  }
  return lines.sort();
}

describe('on a real disk', () => {
  async function withDisk(
    use: (disk: { root: string; known: Known; filesystem: Filesystem; hints: WatchHint[] }) => Promise<void>,
  ): Promise<void> {
    const root = mkdtempSync(join(tmpdir(), 'cairn-ahead-test-'));
    const system = createSystemEnvironment(silentLog);
    // What was made a moment ago counts as restless; nobody has to wait for it here.
    const environment = { ...system, clock: { ...system.clock, now: () => system.clock.now() + 60_000 } };
    const disk = await openNodeFilesystem({ root, environment });
    for (const folder of ['a', 'b', 'b/c']) {
      mkdirSync(join(root, folder));
      for (const name of ['1', '2', '3']) writeFileSync(join(root, folder, name), `${folder} ${name}`);
    }
    const known = await know(disk, environment);
    const filesystem = await startAhead(disk, environment.timers);
    const hints: WatchHint[] = [];
    await filesystem.watch((hint) => hints.push(hint));
    try {
      await use({ root, known, filesystem, hints });
    } finally {
      await filesystem.close();
      rmSync(root, { recursive: true, force: true });
    }
  }

  test('folders in which nothing changed are not listed again', () =>
    withDisk(async ({ known, filesystem }) => {
      const scanner = known.start(filesystem);
      expect(await scan(scanner)).toMatchObject({ changed: false, folders: 4, items: 12 });
      expect(known.listed).toEqual([]);
      // A look at everything later is one at the disk.
      await scan(scanner);
      expect(known.listed).toHaveLength(4);
    }));

  test('what was rewritten in place since it was listed is found, as it was hinted at', () =>
    withDisk(async ({ root, known, filesystem, hints }) => {
      writeFileSync(join(root, 'b/c/2'), 'B/C 2');
      await expect.poll(() => hints).toContainEqual({ kind: 'folder', path: 'b/c' });
      expect(await scan(known.start(filesystem))).toMatchObject({ changed: true });
      expect(known.listed).toEqual(['b/c']);
      const status = await filesystem.status('b/c/2');
      expect(known.local.findByPath('b/c/2')?.fingerprint).toBe(status?.fingerprint);
    }));

  test('what came, went or was exchanged since is found before any hint of it comes', () =>
    withDisk(async ({ root, known, filesystem }) => {
      renameSync(join(root, 'b'), join(root, 'a/was b'));
      mkdirSync(join(root, 'b/c'), { recursive: true });
      for (const name of ['1', '2', '3']) writeFileSync(join(root, 'b/c', name), `b/c ${name}`);
      rmSync(join(root, 'a/1'));
      await scan(known.start(filesystem));
      const again = await know(filesystem, createSystemEnvironment(silentLog));
      expect(describeTree(known.local)).toEqual(describeTree(again.local));
    }));

  test('rules count that came since everything was looked at last', () =>
    withDisk(async ({ root, known, filesystem }) => {
      await filesystem.close();
      writeFileSync(join(root, '.cairnignore'), '2\n');
      const environment = createSystemEnvironment(silentLog);
      const opened = await startAhead(await openNodeFilesystem({ root, environment }), environment.timers);
      const scanner = known.start(opened);
      await scanner.loadRules();
      await scan(scanner);
      expect(known.local.findByPath('b/c/2')).toBeUndefined();
      expect(known.local.findByPath('b/c/1')).toBeDefined();
      await opened.close();
    }));
});

describe('whatever changes between the listing and the look', () => {
  const name = fc.constantFrom('a', 'b', 'a/a', 'a/b', 'b/a', 'a/a/a', 'A');
  const change = fc.oneof(
    fc.record({ kind: fc.constant('write' as const), path: name, text: fc.constantFrom('1', '2') }),
    fc.record({ kind: fc.constant('folder' as const), path: name }),
    fc.record({ kind: fc.constant('remove' as const), path: name }),
    fc.record({ kind: fc.constant('rename' as const), path: name, to: name }),
  );

  test.each([true, false])('is found (names that differ in case are two: %s)', (caseSensitive) =>
    fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 12 }),
        fc.array(change, { maxLength: 4 }),
        fc.constantFrom(0, 1_000, 5_000),
        fc.constantFrom(1n, 2_000_000_000n),
        fc.boolean(),
        async (before, after, restMs, changeGranularityNs, isHinted) => {
          const environment = createSimulatedEnvironment({ seed: 1 });
          const capabilities = { caseSensitive, unicodeSensitive: caseSensitive };
          const memory = createMemoryFilesystem({ environment, capabilities, changeGranularityNs });
          const { filesystem, user } = memory;
          const apply = (changes: typeof before): void => {
            for (const each of changes) {
              try {
                if (each.kind === 'write') user.writeFile(each.path, each.text);
                else if (each.kind === 'folder') user.makeFolder(each.path);
                else if (each.kind === 'remove') user.remove(each.path);
                else user.rename(each.path, each.to);
              } catch {
                // Not possible as things are.
              }
            }
          };
          apply(before);
          const known = await know(filesystem, environment);
          await environment.advance(restMs);
          const ahead = await startAhead(filesystem, environment.timers);
          // Of what is rewritten in place only hints tell; of names, the folder itself does.
          memory.setHintsDropped(!isHinted);
          apply(after.filter(({ kind }) => isHinted || kind !== 'write'));
          // As long as hints take.
          await environment.advance(100);
          await scan(known.start(ahead));
          const again = await know(filesystem, environment);
          expect(describeTree(known.local)).toEqual(describeTree(again.local));
        },
      ),
      { numRuns: 300 },
    ),
  );
});
