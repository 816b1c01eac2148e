import { openSqliteMetadataStore } from '@cairn/metadata-store';
import type { BlockId } from '@cairn/model';
import { createDraw, createSeededChance, deriveSeed } from '../../random.ts';
import { Statistics } from '../../statistics.ts';
import { Trace } from '../../trace.ts';
import { scratchPath } from '../../world/template.ts';
import { Timeline } from '../../world/timeline.ts';
import { environmentOf, listeningLog, START_AT } from '../../world/world-environment.ts';
import { Ledger } from '../checks/ledger.ts';
import { Losses } from '../checks/losses.ts';
import {
  checkAcknowledged,
  checkDelete,
  checkLastCopy,
  checkLostReport,
  checkPut,
} from '../checks/moments.ts';
import { ClusterServer, type ServerEvents } from '../world/cluster-server.ts';
import { Network } from '../world/network.ts';
import { ServerFolders } from '../world/server-folders.ts';
import { StorageNode } from '../world/storage-node.ts';
import { openTemplate } from '../world/template.ts';
import { type ClusterWorld, fail } from './cluster-world.ts';
import { FOLDERS } from './move-steps.ts';
import type { ClusterScript } from './script.ts';

/** By then every server knows which nodes there are. */
const LEFT_BEHIND_MS = 15_000;
const QUIET_LOGS = new Set(['storage-nodes.repair-read', 'storage-nodes.read-repair']);

/** Real folders have other names in each run. */
function showFields(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(fields).replaceAll(/"[^"]*cairn-sim-[^"]*"/g, '"a folder"');
}

/** A cluster whose nodes run and whose servers begin to start. */
export async function createCluster(
  script: ClusterScript,
  onLine: ((line: string) => void) | null,
): Promise<{ readonly world: ClusterWorld; readonly path: string }> {
  const { seed } = script;
  const timeline = new Timeline();
  const trace = new Trace(() => timeline.nowMs, onLine);
  const statistics = new Statistics();
  const template = await openTemplate();
  const path = scratchPath();
  template.copyTo(path);
  const environment = environmentOf(timeline, createSeededChance(deriveSeed(seed, 'database')));
  const store = await openSqliteMetadataStore({ path, environment, flushes: 'each' });
  const nodes: StorageNode[] = [];
  const network = new Network(createDraw(deriveSeed(seed, 'network')), script.isRough);
  const nodeDraw = createDraw(deriveSeed(seed, 'nodes'));

  const folders = script.hasMoves
    ? new ServerFolders(timeline, createDraw(deriveSeed(seed, 'folders')), {
        onDelete: (blockId) => checkLastCopy(world, blockId, 'in a folder'),
        onProblem: (directory, problem) => fail(world, `[durable] in ${directory}: ${problem}`),
      })
    : null;

  const world: ClusterWorld = {
    script,
    timeline,
    trace,
    statistics,
    network,
    store,
    users: template.users,
    servers: [],
    nodes,
    folders,
    ledger: new Ledger(),
    losses: new Losses(store, nodes, () => timeline.nowMs),
    underWay: new Set(),
    draw: createDraw(deriveSeed(seed, 'choices')),
    sleptMs: 0,
    codeAfterMs: script.codeAfterMs,
    failure: null,
    async addNode() {
      const number = nodes.length;
      const node = new StorageNode({
        nodeId: `n${number + 1}`,
        zone: script.zones === 0 ? '' : `z${number % script.zones}`,
        timeline,
        draw: nodeDraw,
        events: {
          onDelete: (at, disk, blockId, fence) => checkDelete(world, at, disk, blockId, fence),
          onPut: (at, disk, runsForMs) => checkPut(world, at, disk, runsForMs),
          onProblem: (at, problem) => fail(world, `[durable] ${at.nodeId} has started: ${problem}`),
        },
        environmentOf: (process) =>
          process.environment(
            createSeededChance(deriveSeed(seed, process.name)),
            { offsetMs: 0 },
            () => world.sleptMs,
            listeningLog((level, event, fields) => {
              if (process.isDead || level === 'debug' || level === 'info') return;
              statistics.count(`disk:${event}`);
              trace.tell(`${node.nodeId}: ${event} ${showFields(fields)}`);
            }),
          ),
      });
      nodes.push(node);
      node.start();
      await timeline.hold(() =>
        store.transact((transaction) =>
          transaction.insertStorageNode({
            nodeId: node.nodeId,
            address: node.nodeId,
            zone: node.zone,
            weight: 1,
            state: 'active',
            sealedKey: Uint8Array.of(0),
            storeUuid: null,
            bootCount: 0,
            joinedAt: START_AT + timeline.nowMs + world.sleptMs,
          }),
        ),
      );
      return node;
    },
  };

  const events: ServerEvents = {
    onLog(server, level, event, fields) {
      trace.note(`${server.name} log ${event}`);
      if (event === 'storage-nodes.state') statistics.count(`node:${String(fields['to'])}`);
      else if (level !== 'debug') statistics.count(`log:${event}`);
      if (level === 'error' || (level !== 'debug' && !QUIET_LOGS.has(event))) {
        trace.tell(`${server.name}: ${event} ${showFields(fields)}`);
      }
      if (event === 'storage-nodes.repaired') {
        if (Number(fields['copiedBytes']) > 0) statistics.count('repair:copied');
        if (Number(fields['codedBlocks']) > 0) statistics.count('repair:coded');
        if (Number(fields['removedReplicas']) > 0) statistics.count('repair:surplus-removed');
        if (Number(fields['waiting']) > 0) statistics.count('repair:waits');
      }
      if (event === 'storage-nodes.lost-blocks') {
        statistics.count('repair:lost-reported');
        // A server that stood still has perhaps asked nodes that are no more.
        if (timeline.nowMs - (server.process?.resumedMs ?? 0) < LEFT_BEHIND_MS) return;
        void timeline.hold(() => checkLostReport(world, fields['lostBlocks'] as BlockId[]));
      }
    },
    onPutBegins: (blockIds) => world.losses.beginSending(blockIds),
    onPutEnds(blockIds, begunMs, isAcknowledged) {
      if (isAcknowledged) checkAcknowledged(world, blockIds, begunMs);
      world.losses.endSending(blockIds);
    },
    onFailure: (error) => fail(world, `[start] ${String(error)}`),
  };
  const servers = world.servers as ClusterServer[];
  for (let number = 1; number <= script.servers; number++) {
    servers.push(
      new ClusterServer({
        name: `s${number}`,
        seed,
        timeline,
        trace,
        statistics,
        network,
        store,
        outAfterMs: script.outAfterMs,
        codeAfterMs: () => world.codeAfterMs,
        moving: folders === null ? null : { folders, first: script.startsInFolder ? FOLDERS[0] : null },
        findNode(nodeId) {
          const node = nodes.find((each) => each.nodeId === nodeId);
          if (node === undefined) throw new Error(`there is no node ${nodeId}`);
          return node;
        },
        sleptMs: () => world.sleptMs,
        draw: createDraw(deriveSeed(seed, 'database', number)),
        events,
      }),
    );
  }
  for (let number = 0; number < script.nodes; number++) await world.addNode();
  for (const server of servers) server.start();
  return { world, path };
}
