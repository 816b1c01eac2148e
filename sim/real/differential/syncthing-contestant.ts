import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareTrees, findFreePort, readTree } from '@cairn/bench';
import { type Contestant, waitUntil } from './contestant.ts';

const START_TIMEOUT_MS = 60_000;
/** Far more than it needs; what is not equal by then stays so. */
const SYNC_TIMEOUT_MS = 12_000;
const KEY = 'differential';

interface Instance {
  readonly home: string;
  readonly folder: string;
  readonly deviceId: string;
  readonly port: number;
  readonly guiPort: number;
}

/** Two instances on loopback, without watchers: they look only when asked to. Conflict copies as by default. */
export async function createSyncthingContestant(): Promise<Contestant | null> {
  if (spawnSync('syncthing', ['--version']).error !== undefined) return null;
  const version = execFileSync('syncthing', ['--version'], { encoding: 'utf8' })
    .split(' ')
    .slice(0, 2)
    .join(' ');
  const work = mkdtempSync(join(tmpdir(), 'cairn-syncthing-'));
  const instances = [await generate(work, 'one'), await generate(work, 'two')] as const;
  const children = instances.map((instance) => start(instance, instances));

  async function ask(instance: Instance, method: string, path: string): Promise<Record<string, unknown>> {
    const answer = await fetch(`http://127.0.0.1:${instance.guiPort}/rest/${path}`, {
      method,
      headers: { 'x-api-key': KEY },
    });
    if (!answer.ok) throw new Error(`syncthing ${path}: ${answer.status}`);
    const text = await answer.text();
    return text.startsWith('{') ? JSON.parse(text) : {};
  }

  async function isConnected(instance: Instance): Promise<boolean> {
    const { connections } = (await ask(instance, 'GET', 'system/connections')) as {
      connections: Record<string, { connected: boolean }>;
    };
    return Object.values(connections).some(({ connected }) => connected);
  }

  async function isIdle(instance: Instance): Promise<boolean> {
    const { state, needTotalItems } = await ask(instance, 'GET', 'db/status?folder=shared');
    return state === 'idle' && needTotalItems === 0;
  }

  const allHold = async (holds: (instance: Instance) => Promise<boolean>) =>
    (await Promise.all(instances.map((each) => holds(each).catch(() => false)))).every(Boolean);
  try {
    await waitUntil('syncthing is connected', () => allHold(isConnected), START_TIMEOUT_MS);
  } catch (error) {
    await end(children);
    throw error;
  }
  return {
    name: version,
    folders: [instances[0].folder, instances[1].folder],
    rest: async () => undefined,
    async sync() {
      let equalLooks = 0;
      await waitUntil(
        'syncthing is in sync',
        async () => {
          if (equalLooks === 0)
            await Promise.all(instances.map((each) => ask(each, 'POST', 'db/scan?folder=shared')));
          const isEqual =
            (await allHold(isIdle)) && compareTrees(treeOf(instances[0]), treeOf(instances[1])).length === 0;
          equalLooks = isEqual ? equalLooks + 1 : 0;
          return equalLooks > 2;
        },
        SYNC_TIMEOUT_MS,
      );
    },
    findInHistory: async () => null,
    async close() {
      await end(children);
      rmSync(work, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function treeOf({ folder }: Instance) {
  const tree = new Map(readTree(folder));
  for (const path of tree.keys()) if (path.startsWith('.stfolder')) tree.delete(path);
  return tree;
}

async function generate(work: string, name: string): Promise<Instance> {
  const home = join(work, `home-${name}`);
  const folder = join(work, name);
  mkdirSync(folder);
  execFileSync('syncthing', ['generate', '--home', home, '--no-default-folder'], { stdio: 'ignore' });
  const config = readFileSync(join(home, 'config.xml'), 'utf8');
  const deviceId = /<device id="([A-Z0-9-]+)"/.exec(config)?.[1];
  if (deviceId === undefined) throw new Error('syncthing made no device id');
  return { home, folder, deviceId, port: await findFreePort(), guiPort: await findFreePort() };
}

function start(own: Instance, all: readonly Instance[]): ChildProcess {
  const devices = all
    .map(
      ({ deviceId, port }) =>
        `<device id="${deviceId}" name="d"><address>tcp://127.0.0.1:${port}</address><autoAcceptFolders>false</autoAcceptFolders></device>`,
    )
    .join('\n');
  const shares = all.map(({ deviceId }) => `<device id="${deviceId}"></device>`).join('');
  writeFileSync(
    join(own.home, 'config.xml'),
    `<configuration version="36">
<folder id="shared" path="${own.folder}" type="sendreceive" rescanIntervalS="0" fsWatcherEnabled="false">${shares}<maxConflicts>-1</maxConflicts></folder>
${devices}
<gui enabled="true" tls="false"><address>127.0.0.1:${own.guiPort}</address><apikey>${KEY}</apikey></gui>
<options><listenAddress>tcp://127.0.0.1:${own.port}</listenAddress><globalAnnounceEnabled>false</globalAnnounceEnabled><localAnnounceEnabled>false</localAnnounceEnabled><relaysEnabled>false</relaysEnabled><natEnabled>false</natEnabled><startBrowser>false</startBrowser><urAccepted>-1</urAccepted><autoUpgradeIntervalH>0</autoUpgradeIntervalH><crashReportingEnabled>false</crashReportingEnabled><reconnectionIntervalS>1</reconnectionIntervalS></options>
</configuration>
`,
  );
  return spawn('syncthing', ['serve', '--home', own.home, '--no-browser', '--no-restart', '--no-upgrade'], {
    stdio: 'ignore',
  });
}

async function end(children: readonly ChildProcess[]): Promise<void> {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
}
