import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CairnError, isCairnError } from '@cairn/model';
import { askDaemon } from './control-client.ts';
import { logPath, type SyncLink, socketPath, stateFolder } from './links.ts';

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

/** Whether a daemon answers for this link. */
export async function isRunning(home: string, link: SyncLink): Promise<boolean> {
  try {
    await askDaemon(socketPath(home, link), { command: 'status' });
    return true;
  } catch (error) {
    if (isCairnError(error, 'not-running')) return false;
    throw error;
  }
}

/** Not `main.ts`: that one would be stripped of its types at every start, before it can say where that is kept. */
const CAIRN = fileURLToPath(new URL('../../../../bin/cairn', import.meta.url));

/**
 * Starts a daemon that outlives this process and waits until it answers.
 * @throws CairnError with what the daemon said when it could not start
 */
export async function startInBackground(
  home: string,
  link: SyncLink,
  variables: NodeJS.ProcessEnv,
): Promise<void> {
  const errorPath = join(stateFolder(home, link), 'daemon.err');
  const errors = openSync(errorPath, 'w', 0o600);
  const child = spawn(process.execPath, [CAIRN, 'sync', '--background', '--', link.folder], {
    detached: true,
    stdio: ['ignore', 'ignore', errors],
    env: { ...variables, CAIRN_HOME: home },
    cwd: '/',
  });
  closeSync(errors);
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  child.unref();
  for (const deadline = performance.now() + START_TIMEOUT_MS; performance.now() < deadline; ) {
    if (await isRunning(home, link)) return;
    if (ended) {
      const said = readFileSync(errorPath, 'utf8')
        .trim()
        .replace(/^cairn: /, '')
        .replace(/\.$/, '');
      throw new CairnError(
        'not-running',
        said === '' ? `the sync daemon ended at once; see ${logPath(home, link)}` : said,
      );
    }
    await sleep(POLL_MS);
  }
  throw new CairnError('unavailable', `the sync daemon does not answer; see ${logPath(home, link)}`);
}

/** Asks a daemon to end and waits until it has. */
export async function stopDaemon(home: string, link: SyncLink): Promise<void> {
  await askDaemon(socketPath(home, link), { command: 'stop' });
  for (const deadline = performance.now() + STOP_TIMEOUT_MS; performance.now() < deadline; ) {
    if (!(await isRunning(home, link))) return;
    await sleep(POLL_MS);
  }
  throw new CairnError('unavailable', 'the sync daemon is still finishing a transfer; try again in a moment');
}
