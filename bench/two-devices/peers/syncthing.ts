import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { type RunningProgram, startProgram, waitUntil } from '../../world/child-processes.ts';
import { findFreePort } from '../../world/counting-proxy.ts';
import { resetPeak } from '../../world/process-usage.ts';
import { mapRoles, ROLES, type Role } from '../measurement.ts';
import { findVersion } from './find-version.ts';
import type { PeerKind, PeerSetting } from './peer.ts';

const KEY = 'bench';
const FOLDER = 'space';
const START_TIMEOUT_MS = 60_000;
const SETTLE_POLL_MS = 200;
const START_POLL_MS = 10;

interface Instance {
  readonly role: Role;
  readonly home: string;
  readonly folder: string;
  readonly socket: string;
  readonly port: number;
  readonly deviceId: string;
  program: RunningProgram | null;
}

export const syncthing: PeerKind = {
  name: 'syncthing',
  description:
    'three nodes, A and B know only the one between them; fsWatcherDelayS=1, the shortest whole second; discovery, relays, reports and upgrades off',
  findVersion: () => findVersion('syncthing', '--version'),
  refuse: () => null,
  async start(setting) {
    const nodes = {
      server: await generate(setting, 'server'),
      a: await generate(setting, 'a'),
      b: await generate(setting, 'b'),
    };
    for (const node of Object.values(nodes)) setting.defer(() => node.program?.stop());
    for (const device of ['a', 'b'] as const) {
      const port = await setting.wire.connect(device, nodes.server.port);
      configure(nodes[device], [{ deviceId: nodes.server.deviceId, address: `tcp://127.0.0.1:${port}` }]);
    }
    // "dynamic" without any discovery: the devices call, the server does not.
    configure(
      nodes.server,
      [nodes.a, nodes.b].map(({ deviceId }) => ({ deviceId, address: 'dynamic' })),
    );
    for (const role of ROLES) launch(nodes[role]);
    const all = ROLES.map((role) => nodes[role]);
    await waitUntil('all nodes of syncthing are connected', START_TIMEOUT_MS, () =>
      allHold(all, (node) => isConnected(node, node.role === 'server' ? 2 : 1)),
    );

    async function settle(): Promise<void> {
      for (let looks = 0; looks < 2; looks++)
        await waitUntil('syncthing is idle', setting.timeoutMs, () => allHold(all, isIdle), SETTLE_POLL_MS);
    }
    await settle();
    return {
      folderA: nodes.a.folder,
      folderB: nodes.b.folder,
      keeps: 'contents',
      isOwn: (name) => name === '.stfolder' || name.startsWith('.syncthing.'),
      async place(source, name, items) {
        // All at once: none must begin to send what another one is about to get.
        const others = [nodes.server, nodes.b].map((node) => ({
          copy: join(setting.work, `copy-${node.role}`),
          node,
        }));
        for (const { copy } of others) cpSync(source, copy, { recursive: true, preserveTimestamps: true });
        renameSync(source, join(nodes.a.folder, name));
        for (const { copy, node } of others) renameSync(copy, join(node.folder, name));
        await waitUntil(
          `all nodes of syncthing know of ${items} items`,
          setting.timeoutMs,
          () => allHold(all, async (node) => (await countKnown(node)) >= items && isIdle(node)),
          SETTLE_POLL_MS,
        );
      },
      settle,
      readUsage: () => mapRoles((role) => programOf(nodes[role]).readUsage()),
      resetPeaks() {
        for (const role of ROLES) resetPeak(programOf(nodes[role]).processId);
      },
      processOfA: () => programOf(nodes.a).processId,
      async restartA() {
        await programOf(nodes.a).stop();
        const startMs = performance.now();
        launch(nodes.a);
        // It calls itself idle before it has begun to scan, too.
        await waitUntil(
          'syncthing has scanned',
          setting.timeoutMs,
          () => allHold([nodes.a], hasScanned),
          START_POLL_MS,
        );
        await waitUntil(
          'syncthing is in sync',
          setting.timeoutMs,
          () => allHold([nodes.a], async (node) => (await isConnected(node, 1)) && isIdle(node)),
          START_POLL_MS,
        );
        return performance.now() - startMs;
      },
    };
  },
};

async function generate(setting: PeerSetting, role: Role): Promise<Instance> {
  const home = join(setting.work, `home-${role}`);
  const folder = join(setting.work, role);
  mkdirSync(folder);
  execFileSync('syncthing', ['generate', '--home', home, '--no-default-folder'], { stdio: 'ignore' });
  const deviceId = /<device id="([A-Z0-9-]+)"/.exec(readFileSync(join(home, 'config.xml'), 'utf8'))?.[1];
  if (deviceId === undefined) throw new Error('syncthing made no device id');
  // A socket file: what is asked there is not counted with what goes over the wire.
  const socket = join(setting.work, `${role}.sock`);
  return { role, home, folder, socket, port: await findFreePort(), deviceId, program: null };
}

function configure(own: Instance, others: readonly { deviceId: string; address: string }[]): void {
  const devices = [{ deviceId: own.deviceId, address: 'dynamic' }, ...others]
    .map(({ deviceId, address }) => `<device id="${deviceId}"><address>${address}</address></device>`)
    .join('\n');
  const shares = [own, ...others].map(({ deviceId }) => `<device id="${deviceId}"></device>`).join('');
  writeFileSync(
    join(own.home, 'config.xml'),
    `<configuration version="36">
<folder id="${FOLDER}" path="${own.folder}" type="sendreceive" rescanIntervalS="3600" fsWatcherEnabled="true" fsWatcherDelayS="1">${shares}</folder>
${devices}
<gui enabled="true" tls="false"><address>${own.socket}</address><apikey>${KEY}</apikey></gui>
<options><listenAddress>tcp://127.0.0.1:${own.port}</listenAddress><globalAnnounceEnabled>false</globalAnnounceEnabled><localAnnounceEnabled>false</localAnnounceEnabled><relaysEnabled>false</relaysEnabled><natEnabled>false</natEnabled><startBrowser>false</startBrowser><urAccepted>-1</urAccepted><autoUpgradeIntervalH>0</autoUpgradeIntervalH><crashReportingEnabled>false</crashReportingEnabled><reconnectionIntervalS>1</reconnectionIntervalS><setLowPriority>false</setLowPriority></options>
</configuration>
`,
  );
}

function launch(node: Instance): void {
  node.program = startProgram(
    'syncthing',
    ['serve', '--home', node.home, '--no-browser', '--no-restart', '--no-upgrade'],
    // Without its monitor, which would be measured instead of it.
    { variables: { STMONITORED: 'yes' }, logPath: join(node.home, 'log') },
  );
}

function programOf({ program, role }: Instance): RunningProgram {
  if (program === null) throw new Error(`syncthing of ${role} is not running`);
  return program;
}

async function allHold(
  nodes: readonly Instance[],
  holds: (node: Instance) => Promise<boolean>,
): Promise<boolean> {
  for (const node of nodes) programOf(node).requireRunning();
  return (await Promise.all(nodes.map(holds))).every(Boolean);
}

async function isConnected(node: Instance, count: number): Promise<boolean> {
  const answer = (await ask(node, 'system/connections')) as {
    connections?: Record<string, { connected: boolean }>;
  } | null;
  return Object.values(answer?.connections ?? {}).filter(({ connected }) => connected).length >= count;
}

async function isIdle(node: Instance): Promise<boolean> {
  const answer = (await ask(node, `db/status?folder=${FOLDER}`)) as {
    state: string;
    needTotalItems: number;
  } | null;
  return answer?.state === 'idle' && answer.needTotalItems === 0;
}

/** What it has found in its own folder. */
async function countKnown(node: Instance): Promise<number> {
  const answer = (await ask(node, `db/status?folder=${FOLDER}`)) as {
    localFiles: number;
    localDirectories: number;
  } | null;
  return answer === null ? 0 : answer.localFiles + answer.localDirectories;
}

async function hasScanned(node: Instance): Promise<boolean> {
  const events = (await ask(node, 'events?since=0&events=StateChanged&timeout=1')) as
    | { data: { from: string; folder: string } }[]
    | null;
  return events?.some(({ data }) => data.folder === FOLDER && data.from === 'scanning') ?? false;
}

/** @returns what its REST interface answers, `null` as long as it does not */
function ask(node: Instance, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const question = request({
      socketPath: node.socket,
      path: `/rest/${path}`,
      headers: { 'x-api-key': KEY, connection: 'close' },
    });
    question.on('error', () => resolve(null));
    question.on('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      answer.on('error', () => resolve(null));
      answer.on('end', () => {
        try {
          resolve(answer.statusCode === 200 ? JSON.parse(text) : null);
        } catch (error) {
          reject(error);
        }
      });
    });
    question.end();
  });
}
