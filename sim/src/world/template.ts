import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryEventBus } from '@cairn/event-bus';
import { openSqliteMetadataStore } from '@cairn/metadata-store';
import type { SignedIn } from '@cairn/protocol';
import { createAccessServices, ensureEpoch } from '@cairn/services';
import { createSeededChance } from '../random.ts';
import { Timeline } from './timeline.ts';
import { environmentOf } from './world-environment.ts';

export const DEVICE_NAMES = ['Ada', 'Ben', 'Cleo', 'Dora'] as const;
export const PASSWORD = 'correct horse battery';
export const USERNAME = 'ann';
/** Hashing that proves nothing costs nothing here. */
export const PASSWORD_COST = { memoryKib: 64, passes: 1, lanes: 1 };
export const SECRET = createSeededChance(7).bytes(32);

/** A database with one account and its devices signed in, as each world starts with. */
export interface Template {
  readonly epoch: string;
  readonly signIns: readonly SignedIn[];
  /** Puts a copy at this path. */
  copyTo(path: string): void;
}

let template: Promise<Template> | null = null;
let folder: string | null = null;
let worlds = 0;

/** A new name for a file in memory, or where temporary files are; all are removed when the process ends. */
export function scratchPath(): string {
  if (folder === null) {
    const made = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'cairn-sim-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  return join(folder, `${worlds++}.db`);
}

/** Made once in a process: signing up and in costs more than a small run. */
export function openTemplate(): Promise<Template> {
  template ??= makeTemplate();
  return template;
}

async function makeTemplate(): Promise<Template> {
  const path = scratchPath();
  const environment = environmentOf(new Timeline(), createSeededChance(11));
  const store = await openSqliteMetadataStore({ path, environment, flushes: 'each' });
  const epoch = await ensureEpoch(store, environment, null);
  const bus = createMemoryEventBus();
  const access = createAccessServices({
    store,
    bus,
    environment,
    secret: SECRET,
    signUp: 'open',
    setUpCode: null,
    passwordCost: PASSWORD_COST,
  });
  const caller = { address: null };
  const signIns: SignedIn[] = [];
  for (const deviceName of DEVICE_NAMES) {
    const request = { username: USERNAME, password: PASSWORD, deviceName };
    signIns.push(
      signIns.length === 0
        ? await access.accounts.register(request, caller)
        : await access.sessions.login(request, caller),
    );
  }
  await store.close();
  return { epoch, signIns, copyTo: (target) => copyFileSync(path, target) };
}
