import { createSystemEnvironment } from '@cairn/environment';
import { CairnError } from '@cairn/model';
import { createServerLog, loadBlocksKey, PRODUCT_VERSION } from '@cairn/server';
import { letHeapGrow, startNode } from '@cairn/storage-node';
import { type CliContext, print } from './context.ts';
import { readFirstLine } from './password.ts';

export interface NodeFlags {
  readonly data: string;
  readonly listen: string;
  readonly advertise?: string;
  readonly join?: string;
  readonly tokenStdin?: boolean;
  readonly zone?: string;
  readonly weight: string;
  readonly capacity?: string;
}

const ADDRESS = /^(?:([A-Za-z0-9.-]{1,253})|\[([0-9A-Fa-f:.]{2,45})\]):(\d{1,5})$/;
const MAX_WEIGHT = 1000;

function parseAddress(text: string, flag: string): { readonly host: string; readonly port: number } {
  const parts = ADDRESS.exec(text);
  const port = Number(parts?.[3]);
  if (parts === null || port > 65535) {
    throw new CairnError('usage', `"${text}" (${flag}) is not host:port, such as 127.0.0.1:9001`);
  }
  return { host: (parts[1] ?? parts[2]) as string, port };
}

function parseWeight(text: string): number {
  const weight = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (weight > 0 && weight <= MAX_WEIGHT) return weight;
  throw new CairnError('usage', `"${text}" (--weight) is not a number above 0, at most ${MAX_WEIGHT}`);
}

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

/** `500GiB`, `1.5 TB` or `1000000` in bytes. @throws CairnError `usage` */
export function parseCapacity(text: string): number {
  const parts = /^(\d{1,15}(?:\.\d{1,3})?) ?([A-Za-z]{1,3})?$/.exec(text);
  const unit = UNITS[parts?.[2] ?? 'B'] ?? 0;
  const bytes = Math.floor(Number(parts?.[1] ?? 0) * unit);
  if (bytes > 0 && Number.isSafeInteger(bytes)) return bytes;
  throw new CairnError(
    'usage',
    `"${text}" (--capacity) is not a size, such as 500GiB; known are ${Object.keys(UNITS).join(', ')}`,
  );
}

/** `cairn node`: runs until a signal asks it to stop. */
export async function runNode(context: CliContext, flags: NodeFlags): Promise<void> {
  const { host, port } = parseAddress(flags.listen, '--listen');
  if (flags.advertise !== undefined) parseAddress(flags.advertise, '--advertise');
  const joinToken =
    flags.tokenStdin === true
      ? await readFirstLine(context, 'join token')
      : context.variables['CAIRN_JOIN_TOKEN'];
  const level = context.variables['CAIRN_LOG_LEVEL'] === 'debug' ? 'debug' : 'info';
  letHeapGrow();
  const node = await startNode({
    data: flags.data,
    host,
    port,
    advertise: flags.advertise,
    join: flags.join,
    joinToken,
    zone: flags.zone,
    weight: parseWeight(flags.weight),
    capacityBytes: flags.capacity === undefined ? undefined : parseCapacity(flags.capacity),
    key: loadBlocksKey(context.variables),
    version: PRODUCT_VERSION,
    environment: { ...createSystemEnvironment(), log: createServerLog(level) },
  });
  print(
    context,
    node.hasJoinedNow
      ? `This storage node has joined the cluster as ${node.nodeId}.`
      : `Storage node ${node.nodeId}.`,
    `It listens at ${node.address}, and its blocks are in ${flags.data}.`,
    'Stop it with Ctrl-C.',
  );
  if (!context.signal.aborted) {
    await new Promise<void>((resolve) =>
      context.signal.addEventListener('abort', () => resolve(), { once: true }),
    );
  }
  print(context, 'Stopping…');
  await node.stop();
}
