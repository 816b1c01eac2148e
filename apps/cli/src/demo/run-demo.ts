import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CliContext, paint, print } from '../context.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { count, showSize, showText } from '../output/text.ts';
import { createChildProcesses, startServerProcess, waitUntil } from './child-processes.ts';
import { compareFolders } from './compare-folders.ts';
import { createDemoDevice, type DemoDevice } from './demo-device.ts';
import { createNarrator } from './narrator.ts';
import {
  isLeftAlone,
  playConflict,
  playCrash,
  playFirstFiles,
  playLeftAlone,
  playRename,
  playSmallEdit,
  type Stage,
  waitUntilInSync,
} from './story.ts';

export interface DemoOptions {
  /** No pauses, smaller amounts. */
  readonly isFast: boolean;
  /** At the end leave everything running until Ctrl-C, and the files where they are. */
  readonly keep: boolean;
}

/** Plays the demo. @returns exit status: 1 when the two folders differ at the end */
export async function runDemo(context: CliContext, options: DemoOptions): Promise<number> {
  const { signal } = context;
  const processes = createChildProcesses();
  const devices: DemoDevice[] = [];
  const parent = await realpath(await mkdtemp(join(tmpdir(), 'cairn-demo-')));
  // The last resort: a second Ctrl-C or a closed terminal leaves no time for more.
  const onExit = (): void => {
    processes.killAllNow();
    if (!options.keep) rmSync(parent, { recursive: true, force: true, maxRetries: 3 });
  };
  const onHangUp = (): void => process.exit(EXIT_CODES.interrupted);
  process.on('exit', onExit);
  process.on('SIGHUP', onHangUp);
  try {
    return await play();
  } catch (error) {
    // Ctrl-C reaches the children, too: what they do then is no failure of its own.
    signal.throwIfAborted();
    throw error;
  } finally {
    await processes.killAll();
    await Promise.all(devices.map((device) => device.close()));
    if (!options.keep) await rm(parent, { recursive: true, force: true, maxRetries: 3 });
    process.off('exit', onExit);
    process.off('SIGHUP', onHangUp);
  }

  async function play(): Promise<number> {
    const startedAt = performance.now();
    const narrator = createNarrator(context, options.isFast);
    const password = randomBytes(12).toString('base64url');
    print(context, '', paint(context, 'bold', '  Cairn: one folder, the same on every device you own'));
    print(context, '');
    await narrator.say(
      `A real server and two devices with a sync daemon each, on this machine, in ${parent}. Each device has a network of its own that can be measured and cut. Ctrl-C ends everything.`,
    );

    await narrator.scene('A server and two devices');
    const data = join(parent, '.server');
    const server = await startServerProcess(processes, data);
    narrator.act('Server', `cairn serve                 → ${server.url}`);
    const create = async (name: string): Promise<DemoDevice> => {
      const device = await createDemoDevice({
        processes,
        name,
        parent,
        serverPort: server.port,
        password,
        signal,
      });
      devices.push(device);
      return device;
    };
    const laptop = await create('Laptop');
    const desktop = await create('Desktop');
    const stage: Stage = {
      narrator,
      laptop,
      desktop,
      signal,
      isFast: options.isFast,
      server: server.process,
      async restartServer() {
        const again = await startServerProcess(processes, data);
        stage.server = again.process;
        for (const device of devices) device.network.targetPort = again.port;
      },
    };
    await laptop.run('signup', '--username', 'ann');
    narrator.act(laptop.name, 'cairn signup --username ann → the account is made');
    await desktop.run('login', '--username', 'ann');
    narrator.act(desktop.name, 'cairn login --username ann  → a second device');
    await Promise.all([laptop.startDaemon(), desktop.startDaemon()]);
    await waitUntilInSync(stage);
    narrator.act('both', 'cairn sync FOLDER');
    await narrator.result(`${join(parent, '{Laptop,Desktop}')} are in sync, and still empty`);

    await playFirstFiles(stage);
    await playSmallEdit(stage);
    await playConflict(stage);
    await playRename(stage);
    await playCrash(stage);
    await playLeftAlone(stage);
    const exitCode = await judge(stage, startedAt);
    if (options.keep) await linger();
    return exitCode;
  }

  async function judge(stage: Stage, startedAt: number): Promise<number> {
    const { narrator, laptop, desktop } = stage;
    await narrator.scene('The verdict');
    await narrator.say(
      'The two folders are now read from disk and compared without asking Cairn: names, every byte, executable bits, times, the text of links.',
    );
    await waitUntilInSync(stage);
    const compared = await compareFolders(laptop.folder, desktop.folder, { leaves: isLeftAlone });
    const { files, folders, links, contentBytes, differences } = compared;
    if (differences.length > 0) {
      print(
        context,
        paint(context, 'red', `    ✗ the two folders differ in ${count(differences.length, 'place')}:`),
      );
      narrator.quote(differences.slice(0, 20));
      print(context, '');
      return EXIT_CODES.error;
    }
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    print(
      context,
      paint(context, 'green', '    ✓ the two folders are equal, byte for byte'),
      `      ${count(files, 'file')}, ${count(folders, 'folder')}, ${count(links, 'link')}, ${showSize(contentBytes)}; told in ${seconds} s`,
      '',
    );
    return EXIT_CODES.ok;
  }

  async function linger(): Promise<void> {
    print(
      context,
      `    Everything goes on running, and the files stay in ${showText(parent)}.`,
      '    Change something in Laptop or Desktop and look at the other one. End it with Ctrl-C.',
      '',
    );
    await waitUntil(() => signal.aborted, 'Ctrl-C', { timeoutMs: Number.POSITIVE_INFINITY, everyMs: 200 });
  }
}
