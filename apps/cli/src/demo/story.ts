import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { count, showSize } from '../output/text.ts';
import type { CairnProcess } from './child-processes.ts';
import { waitUntil } from './child-processes.ts';
import type { DemoDevice } from './demo-device.ts';
import type { Narrator } from './narrator.ts';

const MIB = 1024 * 1024;

/** What the scenes play with. */
export interface Stage {
  readonly narrator: Narrator;
  readonly laptop: DemoDevice;
  readonly desktop: DemoDevice;
  readonly signal: AbortSignal;
  /** Smaller amounts, for tests. */
  readonly isFast: boolean;
  server: CairnProcess;
  restartServer(): Promise<void>;
}

/** Whether a path of the demo is meant to stay on one device. */
export function isLeftAlone(path: string): boolean {
  return /\.log$|^pipe$|^locked\.txt$|\uFFFD/.test(path);
}

/** Waits until both devices say that they are in sync at the same place of the journal. */
export async function waitUntilInSync(stage: Stage): Promise<void> {
  const { laptop, desktop, signal } = stage;
  await waitUntil(
    async () => {
      const [here, there] = await Promise.all([laptop.status(), desktop.status()]);
      // An unreadable file is listed and waits; all else must have settled.
      const settled = [here, there].every(({ state }) => state === 'in-sync' || state === 'waiting');
      return settled && here.sequence === there.sequence && here.files === there.files;
    },
    'both devices to be in sync',
    { signal, everyMs: 25, timeoutMs: 60_000 },
  );
}

async function waitForContent(stage: Stage, path: string, expected: Buffer | string): Promise<number> {
  const wanted = Buffer.from(expected);
  const startedAt = performance.now();
  await waitUntil(
    async () => {
      const status = statSync(path, { throwIfNoEntry: false });
      return status?.size === wanted.length && wanted.equals(await readFile(path));
    },
    path,
    { signal: stage.signal, everyMs: 4, timeoutMs: 60_000 },
  );
  return performance.now() - startedAt;
}

export async function playFirstFiles(stage: Stage): Promise<void> {
  const { narrator, laptop, desktop } = stage;
  await narrator.scene('A file appears on the other device');
  const text = '# Notes\nBuy bread.\n';
  narrator.act(laptop.name, 'writes notes.md');
  await writeFile(join(laptop.folder, 'notes.md'), text);
  const there = await waitForContent(stage, join(desktop.folder, 'notes.md'), text);
  await narrator.result(`on ${desktop.name} after ${Math.round(there)} ms`);
  const longer = `${text}And cheese.\n`;
  narrator.act(desktop.name, 'adds a line');
  await writeFile(join(desktop.folder, 'notes.md'), longer);
  const back = await waitForContent(stage, join(laptop.folder, 'notes.md'), longer);
  await narrator.result(`back on ${laptop.name} after ${Math.round(back)} ms`);

  narrator.act(laptop.name, 'makes a script, an empty folder, odd names, and a link that points outside');
  await mkdir(join(laptop.folder, 'project', 'empty'), { recursive: true });
  await writeFile(join(laptop.folder, 'project', 'build.sh'), '#!/bin/sh\necho built\n');
  await chmod(join(laptop.folder, 'project', 'build.sh'), 0o755);
  await symlink('/etc/hostname', join(laptop.folder, 'project', 'outside'));
  await writeFile(join(laptop.folder, 'project', 'naïve 🍰 "quoted"\nname.txt'), 'odd, but fine\n');
  await waitForContent(
    stage,
    join(desktop.folder, 'project', 'naïve 🍰 "quoted"\nname.txt'),
    'odd, but fine\n',
  );
  await waitUntilInSync(stage);
  await narrator.result(
    `all on ${desktop.name}: executable stays executable, a link stays a link and is never followed`,
  );
}

export async function playSmallEdit(stage: Stage): Promise<void> {
  const { narrator, laptop, desktop, isFast } = stage;
  const film = randomBytes((isFast ? 8 : 24) * MIB);
  await narrator.scene('A small change to a big file');
  narrator.act(laptop.name, `saves film.bin, ${showSize(film.length)}`);
  await writeFile(join(laptop.folder, 'film.bin'), film);
  const whole = await waitForContent(stage, join(desktop.folder, 'film.bin'), film);
  await waitUntilInSync(stage);
  await narrator.result(`on ${desktop.name} after ${(whole / 1000).toFixed(1)} s`);
  narrator.act(laptop.name, 'inserts one byte at its very beginning');
  laptop.network.resetMeter();
  const longer = Buffer.concat([Buffer.from('!'), film]);
  await writeFile(join(laptop.folder, 'film.bin'), longer);
  const part = await waitForContent(stage, join(desktop.folder, 'film.bin'), longer);
  await narrator.result(
    `${laptop.name} sent ${showSize(laptop.network.sentBytes)} instead of ${showSize(longer.length)}; done in ${Math.round(part)} ms`,
  );
}

export async function playConflict(stage: Stage): Promise<void> {
  const { narrator, laptop, desktop, signal } = stage;
  await narrator.scene('Two people edit one document, one of them offline');
  const name = 'letter.txt';
  await writeFile(join(laptop.folder, name), 'Dear all,\n');
  await waitForContent(stage, join(desktop.folder, name), 'Dear all,\n');
  await waitUntilInSync(stage);
  const { sequence } = await laptop.status();
  desktop.network.cut();
  narrator.act(desktop.name, 'loses its network (the connection is cut), and edits letter.txt');
  await writeFile(join(desktop.folder, name), 'Dear all,\nwritten on the desktop.\n');
  await waitUntil(async () => (await desktop.status()).connection !== 'live', 'the cut to be noticed', {
    signal,
  });
  narrator.act(laptop.name, 'edits letter.txt too');
  await writeFile(join(laptop.folder, name), 'Dear all,\nwritten on the laptop.\n');
  await waitUntil(
    async () => {
      const status = await laptop.status();
      return status.sequence > sequence && status.state === 'in-sync';
    },
    'the laptop',
    { signal },
  );
  narrator.act(desktop.name, 'gets its network back');
  desktop.network.mend();
  const copies = async (folder: string): Promise<string[]> =>
    (await readdir(folder)).filter((each) => each.startsWith('letter (')).sort();
  await waitUntil(async () => (await copies(laptop.folder)).length > 0, 'the conflict copy', { signal });
  await waitUntilInSync(stage);
  const lines: string[] = [];
  for (const each of [name, ...(await copies(laptop.folder))]) {
    const said = (await readFile(join(laptop.folder, each), 'utf8')).trim().split('\n').at(-1);
    lines.push(`${each}   →  ${said}`);
  }
  narrator.quote(lines);
  await narrator.result('both texts are on both devices; the first to arrive kept the name');
}

export async function playRename(stage: Stage): Promise<void> {
  const { narrator, laptop, desktop, isFast, signal } = stage;
  const files = isFast ? 300 : 3000;
  await narrator.scene('A folder with thousands of files is renamed');
  narrator.act(laptop.name, `makes the folder photos with ${count(files, 'file')}`);
  const photos = join(laptop.folder, 'photos');
  for (let index = 0; index < files; index++) {
    const folder = join(photos, `album ${Math.floor(index / 100)}`);
    if (index % 100 === 0) await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `${index}.jpg`), randomBytes(2000));
  }
  const startedAt = performance.now();
  await waitUntil(
    async () => {
      const [here, there] = await Promise.all([laptop.status(), desktop.status()]);
      return here.files === there.files && here.files >= files && there.state === 'in-sync';
    },
    'the photos',
    { signal, everyMs: 25, timeoutMs: 60_000 },
  );
  await waitUntilInSync(stage);
  await narrator.result(
    `all on ${desktop.name} after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
  );
  laptop.network.resetMeter();
  desktop.network.resetMeter();
  narrator.act(laptop.name, 'renames photos to "Holiday 2026"');
  await rename(photos, join(laptop.folder, 'Holiday 2026'));
  const renamedAt = performance.now();
  await waitUntil(
    async () => {
      const names = await readdir(desktop.folder);
      return names.includes('Holiday 2026') && !names.includes('photos');
    },
    'the renamed folder',
    { signal, everyMs: 4 },
  );
  const tookMs = performance.now() - renamedAt;
  await waitUntilInSync(stage);
  await narrator.result(
    `renamed on ${desktop.name} after ${Math.round(tookMs)} ms; ${showSize(laptop.network.sentBytes)} sent and ` +
      `${showSize(desktop.network.receivedBytes)} received in all: no content moved`,
  );
}

export async function playCrash(stage: Stage): Promise<void> {
  const { narrator, laptop, desktop, isFast, signal } = stage;
  const archive = randomBytes((isFast ? 12 : 40) * MIB);
  await narrator.scene('The power fails in the middle of a transfer');
  // Slow enough that the middle of the transfer can be met.
  desktop.network.bytesPerSecond = 10 * MIB;
  desktop.network.resetMeter();
  narrator.act(laptop.name, `saves archive.zip, ${showSize(archive.length)}`);
  await writeFile(join(laptop.folder, 'archive.zip'), archive);
  await waitUntil(() => desktop.network.receivedBytes > archive.length / 3, 'the transfer', {
    signal,
    timeoutMs: 60_000,
  });
  await Promise.all([stage.server.kill(), desktop.killDaemon()]);
  const before = desktop.network.receivedBytes;
  narrator.act('!', `kill -9: the server and ${desktop.name}'s daemon, after ${showSize(before)}`);
  const half = statSync(join(desktop.folder, 'archive.zip'), { throwIfNoEntry: false });
  await narrator.say(
    half === undefined
      ? `No half a file is to be seen on ${desktop.name}. Both are started again.`
      : `${desktop.name} shows a file of ${half.size} bytes.`,
  );
  desktop.network.bytesPerSecond = null;
  await stage.restartServer();
  await desktop.startDaemon();
  await waitForContent(stage, join(desktop.folder, 'archive.zip'), archive);
  await waitUntilInSync(stage);
  await narrator.result(
    `archive.zip arrived whole; ${showSize(desktop.network.receivedBytes)} received in all, before and after`,
  );
}

export async function playLeftAlone(stage: Stage): Promise<void> {
  const { narrator, laptop, desktop } = stage;
  await narrator.scene('What is left alone, and why');
  await writeFile(join(laptop.folder, '.cairnignore'), '*.log\n');
  await waitForContent(stage, join(desktop.folder, '.cairnignore'), '*.log\n');
  const asked = ['debug.log'];
  await writeFile(join(laptop.folder, 'debug.log'), 'nobody needs this twice\n');
  await promisify(execFile)('mkfifo', [join(laptop.folder, 'pipe')]).then(
    () => asked.push('pipe'),
    // No such program here: then the story goes on without a pipe.
    () => undefined,
  );
  if (process.getuid !== undefined && process.getuid() !== 0) {
    await writeFile(join(laptop.folder, 'locked.txt'), 'for nobody\n', { mode: 0o000 });
    asked.push('locked.txt');
  }
  narrator.act(laptop.name, `ignores *.log in .cairnignore, and has ${asked.join(', ')}`);
  await writeFile(join(laptop.folder, 'last.txt'), 'the end\n');
  await waitForContent(stage, join(desktop.folder, 'last.txt'), 'the end\n');
  await waitUntilInSync(stage);
  const names = await readdir(laptop.folder);
  const copy = names.find((name) => name.startsWith('letter (')) ?? 'letter.txt';
  for (const name of [...asked, copy]) {
    const answer = await laptop.run('why', join(laptop.folder, name));
    narrator.quote([`$ cairn why "${name}"`, ...answer.trimEnd().split('\n')]);
  }
  await narrator.result('everything else was synced around them');
}
