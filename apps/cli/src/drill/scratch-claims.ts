import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type CairnError, isCairnError } from '@cairn/model';
import { areUp, untilCluster, untilHealed, verifyAll } from './cluster-states.ts';
import { checkFile, type DrillFile, putFile } from './drill-files.ts';
import { expectThat, type Figures, NotProven } from './drill-log.ts';
import type { ScratchNode } from './scratch-cluster.ts';
import { blockOf, bringAllUp, readAll, type ScratchStage, statusOf } from './scratch-stage.ts';
import { type FlippedByte, findChanges, findRecord, flipBit, pictureSegments } from './segment-files.ts';
import { startTraffic } from './traffic.ts';

const STATUS_WITHIN_MS = 15_000;
const MAX_STOP_MS = 15_000;
const UPLOADS = 8;
/** Less than any node has by then. */
const TINY_CAPACITY_BYTES = 64 * 1024;
const WHOLE = { quick: false, everyReplica: true };

/** Everything that a scratch drill proves, in order. Each leaves the cluster whole for the next. */
export async function proveAll(stage: ScratchStage): Promise<void> {
  const claims = [
    proveReads,
    proveOneKilled,
    proveTwoKilled,
    proveHealing,
    proveStoppedDamage,
    proveRunningDamage,
    proveFull,
    proveWiped,
    proveServerKilled,
    proveClean,
  ];
  for (const prove of claims) {
    // Between the kill of two nodes and their healing they stay dead.
    await prove(prove === proveHealing ? stage : withAllUp(stage));
  }
}

/** The same stage, on which every node is up before anything is tried; what cannot be brought up leaves the claim unproven. */
function withAllUp(stage: ScratchStage): ScratchStage {
  const { log } = stage;
  return {
    ...stage,
    log: {
      ...log,
      prove: (id, claim, done, work) =>
        log.prove(id, claim, done, async (figures) => {
          await bringAllUp(stage);
          await work(figures);
        }),
    },
  };
}

function nodeAt({ cluster }: ScratchStage, index: number): ScratchNode {
  return cluster.nodes[index % cluster.nodes.length] as ScratchNode;
}

async function healed({ cluster, wait }: ScratchStage, figures: Figures): Promise<void> {
  const begunMs = performance.now();
  await untilHealed(cluster.client, wait);
  figures['healMs'] = Math.round(performance.now() - begunMs);
}

function proveReads(stage: ScratchStage): Promise<void> {
  return stage.log.prove(
    'reads-by-hash',
    'Everything that was stored reads back',
    'reading every file and comparing its SHA-256',
    (figures) => readAll(stage, figures),
  );
}

function proveOneKilled(stage: ScratchStage): Promise<void> {
  const { cluster, files, makeBytes, signal } = stage;
  const node = nodeAt(stage, 0);
  return stage.log.prove(
    'one-node-killed',
    'No request fails when a node dies',
    `kill -9 of ${node.name} under uploads and downloads`,
    async (figures) => {
      const traffic = startTraffic(cluster.client, files, 'traffic', makeBytes, signal);
      try {
        await traffic.goOn(20);
        await node.process.kill();
        await traffic.goOn(60);
        figures['requests'] = await traffic.stop();
      } finally {
        figures['failedRequests'] = await traffic.abandon();
      }
      await readAll(stage, figures);
    },
  );
}

function proveTwoKilled(stage: ScratchStage): Promise<void> {
  const { cluster, signal } = stage;
  const doomed = [nodeAt(stage, 0), nodeAt(stage, 1)];
  const left = cluster.nodes.length - doomed.length;
  const takesWrites = left >= cluster.writeQuorum;
  return stage.log.prove(
    'two-nodes-killed',
    'With two nodes dead every file reads, and the status says what can be written',
    `kill -9 of ${doomed.map(({ name }) => name).join(' and ')}, then reading everything and one upload`,
    async (figures) => {
      await healed(stage, {});
      const begunMs = performance.now();
      await Promise.all(doomed.map(({ process }) => process.kill()));
      const wait = { withinMs: STATUS_WITHIN_MS, signal };
      const now = await untilCluster(
        cluster.client,
        'the status shows it',
        (each) => areUp(each) === left,
        wait,
      );
      figures['noticedMs'] = Math.round(performance.now() - begunMs);
      expectThat(now.takesWrites === takesWrites, `the status says takesWrites: ${now.takesWrites}`);
      await readAll(stage, figures);
      const refusal = await tryUpload(stage, '/two-killed');
      if (takesWrites) expectThat(refusal === null, `an upload was refused: ${refusal?.message}`);
      else
        expectThat(
          isCairnError(refusal, 'unavailable'),
          refusal === null
            ? 'an upload was taken that too few nodes have'
            : `an upload was refused with ${refusal.code} instead of unavailable: ${refusal.message}`,
        );
    },
  );
}

/** @returns why the upload was refused, or `null` */
async function tryUpload(stage: ScratchStage, path: string): Promise<CairnError | null> {
  try {
    stage.files.push(await putFile(stage.cluster.client, path, stage.makeBytes(path, 10_000), stage.signal));
    return null;
  } catch (error) {
    if (isCairnError(error)) return error;
    throw error;
  }
}

function proveHealing(stage: ScratchStage): Promise<void> {
  const { cluster, signal } = stage;
  return stage.log.prove(
    'healed-after-restart',
    'Nodes that come back are brought up to date',
    'starting both again and waiting until no block lacks a replica',
    async (figures) => {
      const dead = cluster.nodes.filter(({ process }) => process.hasEnded);
      await Promise.all(dead.map((node) => cluster.startNode(node)));
      await healed(stage, figures);
      const report = await verifyAll(cluster.client, WHOLE, signal);
      figures['blocks'] = report.checkedBlocks;
      expectThat(report.underReplicated === 0, `${report.underReplicated} blocks lack a replica`);
      await readAll(stage, figures);
    },
  );
}

function proveStoppedDamage(stage: ScratchStage): Promise<void> {
  const node = nodeAt(stage, 2);
  return stage.log.prove(
    'damage-at-rest',
    'A replica that rots while its node is stopped is never read, noticed and made anew',
    `flipping a bit in a segment file of ${node.name} while it is stopped`,
    async (figures) => {
      await node.process.stop(MAX_STOP_MS);
      await proveDamage(stage, node, figures, () => stage.cluster.startNode(node));
    },
  );
}

function proveRunningDamage(stage: ScratchStage): Promise<void> {
  const node = nodeAt(stage, 1);
  return stage.log.prove(
    'damage-while-running',
    'A replica that rots under a running node is never read, noticed and made anew',
    `flipping a bit in a segment file of ${node.name} while it runs`,
    (figures) => proveDamage(stage, node, figures, async () => undefined),
  );
}

async function proveDamage(
  stage: ScratchStage,
  node: ScratchNode,
  figures: Figures,
  resume: () => Promise<void>,
): Promise<void> {
  const { cluster, signal, wait } = stage;
  const { client } = cluster;
  const { file, place } = await findReplica(stage, node);
  const before = await pictureSegments(cluster.nodes.map(({ data }) => data));
  const quarantined = statusOf(await cluster.status(), node).quarantinedRecords ?? 0;
  await flipBit(place);
  await resume();
  await untilCluster(client, `${node.name} is up`, (now) => statusOf(now, node).state === 'up', wait);
  await checkFile(client, file, signal);
  // A read that met the damage has set it aside by now; otherwise the verification is the first to see it.
  const begunMs = performance.now();
  const { damagedReplicas, badBlocks } = await verifyAll(client, WHOLE, signal);
  const noticed = await untilCluster(
    client,
    'the node tells of a damaged record',
    (now) => (statusOf(now, node).quarantinedRecords ?? 0) > quarantined,
    { ...wait, withinMs: STATUS_WITHIN_MS },
  );
  figures['damagedRecords'] = (statusOf(noticed, node).quarantinedRecords ?? 0) - quarantined;
  expectThat(
    figures['damagedRecords'] === 1,
    `${figures['damagedRecords']} records are damaged instead of one`,
  );
  expectThat(damagedReplicas <= 1 && badBlocks === 0, `${badBlocks} blocks cannot be read any more`);
  await healed(stage, {});
  figures['healMs'] = Math.round(performance.now() - begunMs);
  const after = await verifyAll(client, WHOLE, signal);
  expectThat(
    after.damagedReplicas === 0 && after.underReplicated === 0,
    `${after.damagedReplicas} replicas are damaged and ${after.underReplicated} blocks lack one after the repair`,
  );
  const changes = await findChanges(before, place);
  expectThat(changes.length === 0, `something else changed: ${changes.join('; ')}`);
  await readAll(stage, figures);
}

/** A file of one block of which this node has a replica. */
async function findReplica(
  stage: ScratchStage,
  node: ScratchNode,
): Promise<{ readonly file: DrillFile; readonly place: FlippedByte }> {
  for (const file of stage.files) {
    if (file.sizeBytes < 2_000 || file.sizeBytes > 100_000) continue;
    const place = await findRecord(node.data, await blockOf(stage, file));
    if (place !== null) return { file, place };
  }
  throw new NotProven(`no file has a replica on ${node.name}`);
}

function proveFull(stage: ScratchStage): Promise<void> {
  const { cluster, files, makeBytes, signal, wait } = stage;
  const node = nodeAt(stage, 0);
  return stage.log.prove(
    'node-full',
    'Uploads go on when a node is full, and the status shows it',
    `starting ${node.name} with less capacity than it uses, then uploading`,
    async (figures) => {
      await node.process.stop(MAX_STOP_MS);
      await cluster.startNode(node, { capacityBytes: TINY_CAPACITY_BYTES });
      const full = await untilCluster(
        cluster.client,
        `${node.name} is up and full`,
        (now) => statusOf(now, node).state === 'up' && statusOf(now, node).isFull,
        wait,
      );
      const { blocks } = statusOf(full, node);
      for (let number = 0; number < UPLOADS; number++) {
        const path = `/full/${number}`;
        files.push(await putFile(cluster.client, path, makeBytes(path, 30_000), signal));
      }
      figures['uploads'] = UPLOADS;
      await readAll(stage, figures);
      const now = await cluster.status();
      expectThat(statusOf(now, node).blocks === blocks, `${node.name} took blocks although it is full`);
      await node.process.stop(MAX_STOP_MS);
      await cluster.startNode(node);
      await healed(stage, figures);
    },
  );
}

function proveWiped(stage: ScratchStage): Promise<void> {
  const { cluster, signal, wait } = stage;
  const node = nodeAt(stage, 1);
  return stage.log.prove(
    'node-wiped',
    'A node that comes back empty is noticed and refilled',
    `removing all blocks of ${node.name} while it is stopped`,
    async (figures) => {
      await healed(stage, {});
      const before = statusOf(await cluster.status(), node).blocks ?? 0;
      expectThat(before > 0, `${node.name} had no blocks to begin with`);
      await node.process.kill();
      await rm(join(node.data, 'blocks'), { recursive: true, force: true });
      const { lastRunAt } = (await cluster.status()).repair ?? { lastRunAt: null };
      await cluster.startNode(node);
      const noticed = await untilCluster(
        cluster.client,
        'repair tells that blocks lack replicas',
        ({ repair }) => repair !== null && repair.lastRunAt !== lastRunAt && repair.underReplicated > 0,
        wait,
      );
      figures['noticedBlocks'] = noticed.repair?.underReplicated ?? 0;
      await healed(stage, figures);
      const now = await untilCluster(
        cluster.client,
        `${node.name} has its blocks again`,
        (each) => (statusOf(each, node).blocks ?? 0) >= before,
        { ...wait, withinMs: STATUS_WITHIN_MS },
      );
      figures['blocks'] = statusOf(now, node).blocks ?? 0;
      const report = await verifyAll(cluster.client, WHOLE, signal);
      expectThat(
        report.damagedReplicas === 0 && report.underReplicated === 0,
        `${report.underReplicated} blocks lack a replica`,
      );
      await readAll(stage, figures);
    },
  );
}

function proveServerKilled(stage: ScratchStage): Promise<void> {
  const { cluster, files, makeBytes, signal } = stage;
  return stage.log.prove(
    'server-killed',
    'Everything that the server acknowledged is there after it is killed and started again',
    'kill -9 of the server under uploads, starting it again, reading everything',
    async (figures) => {
      const traffic = startTraffic(cluster.client, files, 'before-kill', makeBytes, signal);
      try {
        await traffic.goOn(20);
      } finally {
        await cluster.killServer();
        await traffic.abandon();
        await cluster.startServer();
      }
      await bringAllUp(stage);
      await readAll(stage, figures);
    },
  );
}

function proveClean(stage: ScratchStage): Promise<void> {
  const { cluster, signal } = stage;
  return stage.log.prove(
    'clean-at-the-end',
    'Every version of every file is whole, on as many nodes as wanted',
    'a verification that reads every replica',
    async (figures) => {
      await healed(stage, figures);
      const report = await verifyAll(cluster.client, WHOLE, signal);
      figures['blocks'] = report.checkedBlocks;
      expectThat(report.checkedBlocks > 0, 'nothing was there to be checked');
      expectThat(report.badBlocks === 0, `${report.badBlocks} blocks cannot be read`);
      expectThat(report.damagedReplicas === 0, `${report.damagedReplicas} replicas are damaged`);
      expectThat(report.underReplicated === 0, `${report.underReplicated} blocks lack a replica`);
      await readAll(stage, figures);
    },
  );
}
