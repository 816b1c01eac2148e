import { homedir } from 'node:os';
import type { Client } from '@cairn/client';
import { CairnError, isCairnError } from '@cairn/model';
import type { Command } from 'commander';
import { withClient } from '../connect.ts';
import { type CliContext, print, printJson, remark } from '../context.ts';
import { showName, showText } from '../output/text.ts';
import type { RegisterCommand } from '../register-command.ts';
import { aheadBytes, homeFolder } from '../settings.ts';
import { ask, chooseLinks, statusOf } from '../sync/chosen-links.ts';
import type { SyncLink } from '../sync/links.ts';
import { registerSyncLog } from './sync-log.ts';
import { registerSyncSelect } from './sync-select.ts';

/** The engine plans again by itself after a failure; it should learn of an outage soon. */
const ATTEMPTS = 2;
/** Changes are shown together after this time: making the lines costs more than a small file's way to the server. */
const SHOW_AFTER_MS = 150;

/** sync FOLDER, and sync add, remove, start, stop, status, pause, resume, confirm, reject, select, log */
export const registerSync: RegisterCommand = (program, context) => {
  const sync = program
    .command('sync')
    .description('keep a folder the same as the server, in the foreground')
    .argument('[folder]', 'the folder; linked on first use')
    .option('--verbose', 'also print what is done, as JSON lines on standard error')
    .option('--background', 'log to a file instead of the terminal (as "sync start" does)')
    .addHelpText(
      'after',
      '\nExamples:\n  cairn sync ~/Cairn            until Ctrl-C\n  cairn sync start ~/Cairn      in the background\n  cairn sync status\n\nA folder with the name of a command is written with ./ in front, such as ./status.',
    )
    .action(async (folder: string | undefined, options: { verbose?: boolean; background?: boolean }) => {
      if (folder === undefined)
        throw new CairnError(
          'usage',
          'which folder? For instance "cairn sync ~/Cairn"; or see "cairn sync --help"',
        );
      await runInForeground(context, folder, options);
    });

  sync
    .command('add')
    .description('link a folder without starting')
    .argument('<folder>')
    .action((folder: string) =>
      withClient(context, async (client) => {
        const link = await linkFolder(context, client, folder);
        print(context, `Linked ${showName(link.folder)}. Start it with "cairn sync start".`);
      }),
    );
  sync
    .command('remove')
    .description('forget a linked folder; its files stay, here and on the server')
    .argument('<folder>')
    .action((folder: string) => remove(context, folder));
  sync
    .command('start')
    .description('run in the background, for one folder or for every linked one')
    .argument('[folder]', 'linked on first use')
    .action((folder: string | undefined) => start(context, folder));
  sync
    .command('stop')
    .description('end background sync, of one folder or of every linked one')
    .argument('[folder]')
    .action((folder: string | undefined) => stop(context, folder));
  sync
    .command('status')
    .description('what is in sync, what is not, and why')
    .argument('[folder]')
    .option('--json', 'print JSON')
    .action((folder: string | undefined, options: { json?: boolean }) =>
      showStatus(context, folder, options.json === true),
    );
  tell(sync, context, 'pause', 'stop transferring until "resume"', 'Paused');
  tell(sync, context, 'resume', 'go on after "pause"', 'Resumed');
  tell(sync, context, 'confirm', 'let held deletes go ahead', 'Confirmed: the deletes go ahead in');
  tell(sync, context, 'reject', 'take held deletes back', 'Taken back: what was deleted returns to');
  registerSyncSelect(sync, context);
  registerSyncLog(sync, context);
};

function tell(
  sync: Command,
  context: CliContext,
  command: 'pause' | 'resume' | 'confirm' | 'reject',
  description: string,
  done: string,
): void {
  sync
    .command(command)
    .description(description)
    .argument('[folder]')
    .action(async (folder: string | undefined) => {
      for (const link of await chooseLinks(context, folder)) {
        await ask(context, link, { command });
        print(context, `${done} ${showName(link.folder)}.`);
      }
    });
}

async function linkFolder(context: CliContext, client: Client, folder: string): Promise<SyncLink> {
  const { addLink, findLink } = await import('../sync/links.ts');
  const home = homeFolder(context);
  const existing = findLink(home, folder);
  if (existing !== undefined) return existing;
  const session = await client.session();
  const { serverUrl } = client;
  const space = { serverUrl, spaceId: session.spaceId, rootId: session.rootId };
  const link = await addLink(home, folder, space, Date.now());
  if (link.folder === homedir())
    remark(
      context,
      'This is your home folder: settings, caches and keys of all programs are synced, too. Better choose a folder such as ~/Cairn; "cairn sync remove" undoes it.',
    );
  return link;
}

async function runInForeground(
  context: CliContext,
  folder: string,
  options: { verbose?: boolean; background?: boolean },
): Promise<void> {
  const [{ findLink, logPath }, { openErrorLog, openLogFile }, { openSyncFolder }] = await Promise.all([
    import('../sync/links.ts'),
    import('../sync/log-file.ts'),
    import('../sync/sync-folder.ts'),
  ]);
  const home = homeFolder(context);
  const openLog = (link: SyncLink) =>
    options.verbose ? openErrorLog('debug') : openLogFile(logPath(home, link), 'info');
  const known = findLink(home, folder);
  let log = known === undefined ? null : openLog(known);
  // Before everything else is loaded, which is time to look at the folder.
  let opened = known === undefined || log === null ? null : await openSyncFolder(home, known, log);
  const run = async (client: Client): Promise<void> => {
    const [{ runDaemon }, { describeState }, { signedInName }] = await Promise.all([
      import('../sync/daemon.ts'),
      import('../sync/show-status.ts'),
      import('../sync/signed-in-name.ts'),
    ]);
    const link = known ?? (await linkFolder(context, client, folder));
    log ??= openLog(link);
    opened ??= await openSyncFolder(home, link, log);
    await runDaemon({
      home,
      link,
      filesystem: opened.filesystem,
      client,
      deviceName: await signedInName(context),
      aheadBytes: aheadBytes(context),
      log,
      signal: context.signal,
      onReady(engine) {
        if (options.background) return;
        print(
          context,
          `Syncing ${showName(link.folder)} with ${client.serverUrl}. Stop with Ctrl-C; nothing is lost by stopping at any moment.`,
        );
        let lastLine = '';
        let lastNotice = engine.status().notices[0]?.noticeId ?? 0;
        let isWaiting = false;
        engine.onChange(() => {
          if (isWaiting) return;
          isWaiting = true;
          setTimeout(show, SHOW_AFTER_MS).unref();
        });
        function show(): void {
          isWaiting = false;
          const status = engine.status();
          for (const notice of [...status.notices].reverse()) {
            if (notice.noticeId <= lastNotice) continue;
            lastNotice = notice.noticeId;
            remark(context, showText(notice.text));
          }
          const line = describeState(status);
          if (line === lastLine || status.state === 'stopped') return;
          lastLine = line;
          print(context, `${new Date().toTimeString().slice(0, 8)}  ${line}`);
        }
      },
    });
  };
  try {
    // A linked folder goes to its own server, whatever CAIRN_SERVER says now.
    await withClient(context, run, { server: known?.serverUrl, maxAttempts: ATTEMPTS });
  } finally {
    await opened?.close();
  }
}

async function start(context: CliContext, folder: string | undefined): Promise<void> {
  const [{ isRunning, startInBackground }, { logPath }] = await Promise.all([
    import('../sync/background.ts'),
    import('../sync/links.ts'),
  ]);
  const home = homeFolder(context);
  if (folder !== undefined) await withClient(context, (client) => linkFolder(context, client, folder));
  for (const link of await chooseLinks(context, folder)) {
    if (await isRunning(home, link)) {
      if (folder !== undefined)
        throw new CairnError(
          'already-running',
          `${link.folder} is being synced already; see "cairn sync status"`,
        );
      continue;
    }
    await startInBackground(home, link, { ...process.env, ...context.variables });
    print(
      context,
      `Syncing ${showName(link.folder)} in the background. See "cairn sync status"; log: ${showName(logPath(home, link))}`,
    );
  }
}

async function stop(context: CliContext, folder: string | undefined): Promise<void> {
  const { stopDaemon } = await import('../sync/background.ts');
  for (const link of await chooseLinks(context, folder)) {
    try {
      await stopDaemon(homeFolder(context), link);
      print(
        context,
        `Stopped syncing ${showName(link.folder)}. Changes made meanwhile are found at the next start.`,
      );
    } catch (error) {
      if (folder !== undefined || !isCairnError(error, 'not-running')) throw error;
    }
  }
}

async function remove(context: CliContext, folder: string): Promise<void> {
  const [link] = await chooseLinks(context, folder);
  if (link === undefined) return;
  const { stopDaemon } = await import('../sync/background.ts');
  const { removeLink } = await import('../sync/links.ts');
  try {
    await stopDaemon(homeFolder(context), link);
  } catch (error) {
    if (!isCairnError(error, 'not-running')) throw error;
  }
  await removeLink(homeFolder(context), link);
  print(context, `Forgot ${showName(link.folder)}. Its files stay, here and on the server.`);
}

async function showStatus(context: CliContext, folder: string | undefined, json: boolean): Promise<void> {
  const { describeStatus } = await import('../sync/show-status.ts');
  const links = await chooseLinks(context, folder);
  const all = await Promise.all(
    links.map(async ({ folder: path, serverUrl, ...link }) => ({
      folder: path,
      serverUrl,
      ...(await statusOf(context, { folder: path, serverUrl, ...link })),
    })),
  );
  if (json) printJson(context, { folders: all });
  else for (const each of all) print(context, ...describeStatus(context, each.folder, each));
}
