import { resolve } from 'node:path';
import { CairnError } from '@cairn/model';
import type { BlocksSetting } from './open-blocks.ts';

const DEFAULT_OUT_AFTER_S = 600;
const MEBIBYTE = 1024 * 1024;
const MAX_REPLICAS = 9;
const DAY_MS = 24 * 60 * 60 * 1000;
const MAX_DAYS = 36_500;
/** Shards survive the loss of two nodes; more replicas than three ask for more. */
const MAX_REPLICAS_CODED = 3;
const NAMES = [
  'replicas',
  'write-quorum',
  'out-after-s',
  'repair-mib-s',
  'code-after-days',
  'code-after-s',
  'heartbeat-ms',
] as const;

function usage(message: string): CairnError {
  return new CairnError('usage', message);
}

function parseNodes(query: string, source: string): BlocksSetting {
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (!NAMES.some((known) => known === name)) {
      throw usage(`"${name}" (${source}) is unknown; after nodes:? there may be ${NAMES.join(', ')}`);
    }
  }
  const read = (name: (typeof NAMES)[number], fallback: number, most: number, least = 1): number => {
    const text = parameters.get(name);
    if (text === null) return fallback;
    const value = /^\d{1,10}$/.test(text) ? Number(text) : -1;
    if (value >= least && value <= most) return value;
    throw usage(`"${name}=${text}" (${source}) is not a whole number from ${least} to ${most}`);
  };
  const readCodeAfter = (replicas: number): number | null => {
    const [days, seconds] = [parameters.has('code-after-days'), parameters.has('code-after-s')];
    if (!days && !seconds) return null;
    if (days && seconds)
      throw usage(`"code-after-days" and "code-after-s" (${source}) say the same; leave one out`);
    if (replicas > MAX_REPLICAS_CODED) {
      throw usage(
        `"replicas=${replicas}" (${source}) survives more losses than shards do; leave out code-after, or take at most ${MAX_REPLICAS_CODED} replicas`,
      );
    }
    if (days) return read('code-after-days', 0, MAX_DAYS) * DAY_MS;
    return read('code-after-s', 0, MAX_DAYS * (DAY_MS / 1000), 0) * 1000;
  };
  const replicas = read('replicas', 3, MAX_REPLICAS);
  const repairMebibytes = read('repair-mib-s', 0, 1_000_000);
  const heartbeatMs = read('heartbeat-ms', 0, 60_000);
  return {
    kind: 'nodes',
    replicas,
    writeQuorum: read('write-quorum', Math.min(2, replicas), replicas),
    outAfterMs: read('out-after-s', DEFAULT_OUT_AFTER_S, 1_000_000) * 1000,
    repairBytesPerSecond: repairMebibytes === 0 ? null : repairMebibytes * MEBIBYTE,
    codeAfterMs: readCodeAfter(replicas),
    ...(heartbeatMs === 0 ? {} : { heartbeatMs }),
  };
}

/**
 * `file:DIR`, or `nodes:` with settings as in a URL: `nodes:?replicas=3&write-quorum=2&out-after-s=600&repair-mib-s=50`. Old
 * blocks become shards with `code-after-days=30`, or `code-after-s` (0: all at once).
 * @throws CairnError `usage`
 */
export function parseBlocks(text: string, source: string): BlocksSetting {
  if (text.startsWith('file:') && text.length > 5) {
    return { kind: 'folder', directory: resolve(text.slice(5)) };
  }
  const nodes = /^nodes:(?:\?(.*))?$/.exec(text);
  if (nodes !== null) return parseNodes(nodes[1] ?? '', source);
  throw usage(
    `"${text.split(':')[0]}:" (${source}) is not yet supported for blocks; use file:DIR, nodes: or leave it out`,
  );
}

export function showBlocks(setting: BlocksSetting): string {
  if (setting.kind === 'folder') return setting.directory;
  const { replicas, writeQuorum, outAfterMs, repairBytesPerSecond, codeAfterMs, heartbeatMs } = setting;
  const cap = repairBytesPerSecond === null ? '' : `&repair-mib-s=${repairBytesPerSecond / MEBIBYTE}`;
  const coding =
    codeAfterMs === null
      ? ''
      : codeAfterMs > 0 && codeAfterMs % DAY_MS === 0
        ? `&code-after-days=${codeAfterMs / DAY_MS}`
        : `&code-after-s=${codeAfterMs / 1000}`;
  const heartbeat = heartbeatMs === undefined ? '' : `&heartbeat-ms=${heartbeatMs}`;
  return `nodes:?replicas=${replicas}&write-quorum=${writeQuorum}&out-after-s=${outAfterMs / 1000}${cap}${coding}${heartbeat}`;
}

/** As it is written in CAIRN_BLOCKS. */
export function describeSetting(setting: BlocksSetting): string {
  return setting.kind === 'folder' ? `file:${setting.directory}` : showBlocks(setting);
}
