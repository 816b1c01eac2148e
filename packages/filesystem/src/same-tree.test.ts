import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSimulatedEnvironment, createSystemEnvironment } from '@cairn/environment';
import { isCairnError } from '@cairn/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Expectation, Filesystem } from './filesystem.ts';
import { createMemoryFilesystem } from './memory/memory-filesystem.ts';
import type { UserOperations } from './memory/memory-user.ts';
import { openNodeFilesystem } from './node/node-filesystem.ts';
import { createNodeUser } from './node/node-user.ts';

const path = fc.constantFrom('a', 'b', 'd', 'd/a', 'd/e', 'd/e/a', 'd/e/b');
const text = fc.constantFrom('', '1', '22', '333');
type Step = { by: 'user' | 'port'; what: string; path: string; to: string; text: string; fresh: boolean };
const step: fc.Arbitrary<Step> = fc.record({
  by: fc.constantFrom('user', 'port'),
  what: fc.constantFrom('file', 'file', 'folder', 'folder', 'link', 'move', 'move', 'remove', 'attributes'),
  path,
  to: path,
  text,
  fresh: fc.boolean(),
});

interface World {
  filesystem: Filesystem;
  user: UserOperations;
}

/** Does a step; the outcome is what both worlds must agree on: `done`, an error code, or that the user cannot. */
async function take(world: World, each: Step): Promise<string> {
  try {
    if (each.by === 'user') takeAsUser(world.user, each);
    else await takeAsPort(world.filesystem, each);
    return 'done';
  } catch (error) {
    if (each.by === 'user') return 'the user cannot';
    return isCairnError(error) ? error.code : String(error);
  }
}

function takeAsUser(user: UserOperations, each: Step): void {
  if (each.what === 'file') user.writeFile(each.path, each.text);
  if (each.what === 'folder') user.makeFolder(each.path);
  if (each.what === 'link') user.makeLink(each.path, `to-${each.text}`);
  if (each.what === 'move') user.rename(each.path, each.to);
  if (each.what === 'remove') user.remove(each.path);
  if (each.what === 'attributes') user.setModifiedAt(each.path, 1000);
}

async function takeAsPort(filesystem: Filesystem, each: Step): Promise<void> {
  const status = await filesystem.status(each.path);
  const fingerprint = status?.fingerprint ?? 'none';
  const expected: Expectation = each.fresh && status === null ? { absent: true } : { fingerprint };
  if (each.what === 'file') {
    const temporary = await filesystem.openTemporary('t');
    try {
      await temporary.write(Buffer.from(each.text), 0);
      await filesystem.place(temporary, each.path, expected, {});
    } finally {
      await temporary.discard();
    }
  }
  if (each.what === 'folder') await filesystem.makeFolder(each.path);
  if (each.what === 'link') await filesystem.makeLink(each.path, `to-${each.text}`, expected);
  if (each.what === 'move') await filesystem.move(each.path, each.to, status?.identity ?? 'none');
  if (each.what === 'remove') {
    if (status?.kind === 'folder') await filesystem.removeFolder(each.path);
    else await filesystem.displace(each.path, { fingerprint });
  }
  if (each.what === 'attributes') {
    await filesystem.setAttributes(each.path, { executable: each.fresh }, { fingerprint });
  }
}

async function listAll(filesystem: Filesystem, folder = ''): Promise<string[]> {
  const lines: string[] = [];
  for (const item of await filesystem.list(folder)) {
    const below = folder === '' ? item.name : `${folder}/${item.name}`;
    const { kind, target, executable, sizeBytes } = item.status ?? {};
    lines.push(`${below} ${kind} ${target} ${executable} ${kind === 'file' ? sizeBytes : ''}`);
    if (kind === 'folder') lines.push(...(await listAll(filesystem, below)));
  }
  return lines.sort();
}

describe('the two adapters', () => {
  it('show the same tree and the same answers after any mixture of user and port operations', async () => {
    const environment = createSystemEnvironment();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const root = mkdtempSync(join(tmpdir(), 'cairn-same-'));
        const memory = createMemoryFilesystem({ environment: createSimulatedEnvironment({ seed: 7 }) });
        const real = {
          filesystem: await openNodeFilesystem({ root, environment }),
          user: createNodeUser(root),
        };
        try {
          for (const [index, each] of steps.entries()) {
            const expected = await take(real, each);
            expect(await take(memory, each), `step ${index} ${JSON.stringify(each)}`).toBe(expected);
          }
          expect(memory.user.describe()).toEqual(real.user.describe());
          expect(await listAll(memory.filesystem)).toEqual(await listAll(real.filesystem));
          const names = async (filesystem: Filesystem) =>
            (await filesystem.listRescued()).map((item) => `${item.originalName} ${item.sizeBytes}`).sort();
          expect(await names(memory.filesystem)).toEqual(await names(real.filesystem));
        } finally {
          await real.filesystem.close();
          rmSync(root, { recursive: true, force: true });
        }
      }),
      { numRuns: 100 },
    );
  });
});
