import type { ClusterResponse } from '@cairn/protocol';
import type { Command } from 'commander';
import { withClient } from '../connect.ts';
import { type CliContext, print, printJson, remark } from '../context.ts';
import { formatTable } from '../output/table.ts';
import { count, showInstant, showSize } from '../output/text.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** admin nodes list, invite, drain, use, remove */
export function registerAdminNodes(admin: Command, context: CliContext): void {
  const nodes = admin
    .command('nodes')
    .description('storage nodes: what they are doing, and which there are')
    .addHelpText(
      'after',
      '\nExamples:\n  cairn admin nodes\n  cairn admin nodes invite\n  cairn admin nodes drain ID',
    );
  nodes
    .command('list', { isDefault: true })
    .alias('ls')
    .description('list the nodes, what they hold, and how far repair is')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  cairn admin nodes')
    .action((options: { json?: boolean }) => list(context, options.json === true));
  nodes
    .command('invite')
    .description('make a token with which one node may join within a day')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  cairn admin nodes invite')
    .action((options: { json?: boolean }) => invite(context, options.json === true));
  const one = (name: string, description: string, work: (nodeId: string) => Promise<void>): void => {
    nodes
      .command(name)
      .description(description)
      .argument('<id>', 'its id, from "cairn admin nodes"')
      .addHelpText('after', `\nExample:\n  cairn admin nodes ${name} ID`)
      .action(work);
  };
  one('drain', 'give it nothing new, and make what it has elsewhere', (nodeId) =>
    withClient(context, async (client) => {
      await client.admin.changeNode(nodeId, { state: 'draining' }, context.signal);
      print(context, 'It gets nothing new from now on. Remove it when "cairn admin nodes" shows it empty.');
    }),
  );
  one('use', 'take a node that was being drained back into use', (nodeId) =>
    withClient(context, async (client) => {
      await client.admin.changeNode(nodeId, { state: 'active' }, context.signal);
      print(context, 'It is in use again.');
    }),
  );
  nodes
    .command('remove')
    .description('forget a node that is empty')
    .argument('<id>', 'its id, from "cairn admin nodes"')
    .option('--force', 'it will not come back: what only it has is lost')
    .addHelpText('after', '\nExample:\n  cairn admin nodes remove ID')
    .action((nodeId: string, options: { force?: boolean }) =>
      withClient(context, async (client) => {
        await client.admin.removeNode(nodeId, { force: options.force === true }, context.signal);
        print(context, 'It does not belong to the cluster any more.');
      }),
    );
}

async function invite(context: CliContext, json: boolean): Promise<void> {
  await withClient(context, async (client) => {
    const answer = await client.admin.inviteNode(context.signal);
    if (json) {
      printJson(context, answer);
      return;
    }
    print(context, answer.token);
    remark(
      context,
      `It works once, until ${showInstant(answer.expiresAt)}. Start the node with it in CAIRN_JOIN_TOKEN.`,
    );
  });
}

async function list(context: CliContext, json: boolean): Promise<void> {
  await withClient(context, async (client) => {
    const answer = await client.admin.nodes(context.signal);
    if (json) printJson(context, answer);
    else print(context, ...describeCluster(answer));
  });
}

function describeSpace(node: ClusterResponse['nodes'][number]): string {
  if (node.freeBytes === null || node.totalBytes === null) return '-';
  // Of a node with a capacity both are what is left of that, unless the disk has less.
  const bound = node.capacityBytes === null ? '' : ` (capacity ${showSize(node.capacityBytes)})`;
  return `${showSize(node.freeBytes)} of ${showSize(node.totalBytes)}${bound}`;
}

function describeState(node: ClusterResponse['nodes'][number]): string {
  const marks = [node.isDraining ? 'draining' : null, node.isFull ? 'full' : null];
  return [node.state, ...marks.filter((mark) => mark !== null)].join(', ');
}

/** Everything about the cluster in sentences and a table. */
export function describeCluster(answer: ClusterResponse): string[] {
  const drills = answer.drills.map(describeLastDrill);
  if (answer.mode === 'folder' && answer.nodes.length === 0) {
    return [...drills, 'This server keeps its blocks in a folder of its own; there are no storage nodes.'];
  }
  if (answer.nodes.length === 0) {
    return [
      ...drills,
      'No storage node has joined yet. Make a token for one with "cairn admin nodes invite".',
    ];
  }
  const rows = answer.nodes.map((node) => [
    node.nodeId,
    node.address,
    describeState(node),
    node.zone === '' ? '-' : node.zone,
    node.blocks === null ? '-' : String(node.blocks),
    node.diskBytes === null ? '-' : showSize(node.diskBytes),
    describeSpace(node),
    node.silentMs === null ? 'never' : `${Math.round(node.silentMs / 1000)} s ago`,
  ]);
  const columns = [
    { title: 'ID' },
    { title: 'ADDRESS' },
    { title: 'STATE' },
    { title: 'ZONE' },
    { title: 'BLOCKS', align: 'right' as const },
    { title: 'USED', align: 'right' as const },
    { title: 'FREE' },
    { title: 'ANSWERED' },
  ];
  const lines = [...formatTable(columns, rows), ''];
  for (const node of answer.nodes) {
    if (node.reason !== null && (node.state !== 'up' || node.isFull))
      lines.push(`${node.address}: ${node.reason}`);
    if ((node.quarantinedRecords ?? 0) > 0)
      lines.push(`${node.address}: ${count(node.quarantinedRecords ?? 0, 'damaged record')} set aside.`);
  }
  if (answer.mode === 'folder') {
    lines.push(
      'No block is on them: this server keeps its blocks in a folder of its own. "cairn admin blocks move nodes:" moves them.',
    );
    return lines;
  }
  lines.push(
    answer.takesWrites
      ? `Each block goes to ${count(answer.replicas, 'node')} and counts as stored on ${answer.writeQuorum}.`
      : `Nothing new can be stored: fewer than ${count(answer.writeQuorum, 'node')} can take it. Files can be read as far as nodes answer.`,
  );
  if (answer.coding !== null) lines.push(describeCoding(answer.coding));
  const { repair } = answer;
  if (repair !== null) lines.push(describeRepair(repair));
  lines.push(...drills);
  return lines;
}

function describeCoding({ afterMs, isPossible }: NonNullable<ClusterResponse['coding']>): string {
  const [days, seconds] = [Math.floor(afterMs / DAY_MS), Math.round(afterMs / 1000)];
  const age = days > 0 ? count(days, 'day') : count(seconds, 'second');
  return isPossible
    ? `Blocks that are older than ${age} become shards on six nodes.`
    : `Blocks that are older than ${age} were to become shards, but that needs six nodes. Those that are shards stay so.`;
}

function describeLastDrill({ kind, endedAt, proven, unproven }: ClusterResponse['drills'][number]): string {
  const name = kind === 'live' ? 'Last drill of this cluster' : 'Last drill of a scratch cluster';
  const result =
    unproven === 0
      ? `all ${count(proven, 'claim')} proven`
      : `${count(unproven, 'claim')} of ${proven + unproven} NOT proven`;
  return `${name}: ${showInstant(endedAt)}, ${result}.`;
}

function describeRepair(repair: NonNullable<ClusterResponse['repair']>): string {
  const open = repair.underReplicated - repair.repaired;
  const parts: string[] = [];
  if (repair.lost > 0) parts.push(`${count(repair.lost, 'block')} are lost`);
  if (repair.unavailable > 0)
    parts.push(`${count(repair.unavailable, 'block')} are on nodes that do not answer`);
  if (open > 0) {
    const waiting = repair.waiting > 0 ? ` (${repair.waiting} wait for a node to come back)` : '';
    parts.push(`${count(open, 'block')} have fewer replicas or shards than wanted${waiting}`);
  }
  if (repair.noted > 0) parts.push(`${count(repair.noted, 'block')} noted to be looked at`);
  if (parts.length === 0) parts.push('all blocks that were looked at are complete');
  const coded =
    repair.codedBlocks === 0
      ? ''
      : ` ${count(repair.codedBlocks, 'block')} kept as shards, in ${showSize(repair.codedBytes)}.`;
  const when = repair.isRunning
    ? 'It is running now.'
    : repair.lastRunAt === null
      ? 'It has not looked at everything yet.'
      : `It last looked at everything on ${showInstant(repair.lastRunAt)}.`;
  return `Repair: ${parts.join('; ')}. ${when}${coded}`;
}
