import type { Environment } from '@cairn/environment';
import type { NodeStatus } from '@cairn/protocol';
import type { RemoteBlockStore } from '../remote/remote-block-store.ts';
import type { PlacementNode } from './placement.ts';
import type { ReplicaNode, ReplicaNodes } from './replica-node.ts';

export const HEARTBEAT_MS = 5_000;
const SUSPECT_MS = 15_000;
const DOWN_MS = 30_000;
const OUT_MS = 10 * 60_000;
/** A node that said it is full is tried again after this. */
const FULL_MS = 60_000;
/** Answers in a row that a node needs after a failure, so that one that comes and goes is not relied on. */
const ANSWERS_TO_BE_UP = 2;

/** A node as the database has it. */
export interface ClusterNode extends PlacementNode {
  readonly isDraining: boolean;
  /** As last seen; `null` before the first time. */
  readonly storeUuid: string | null;
  readonly bootCount: number;
  readonly blocks: RemoteBlockStore;
}

/**
 * `up` takes everything. `suspect` (15 s silent) and `failing` (a request failed since its last answers) are read
 * last and not written. `down` (30 s) is not asked. `out` (10 min): what it has is made anew elsewhere. `fenced`: not
 * the node that it says it is; never used until somebody looks into it. `held-out`: a drill wants to see what happens without
 * it; not asked until the time is over, and nothing is made anew for it.
 */
export type NodeState = 'unknown' | 'up' | 'failing' | 'suspect' | 'down' | 'out' | 'fenced' | 'held-out';

export interface NodeHealth {
  readonly nodeId: string;
  readonly state: NodeState;
  readonly isDraining: boolean;
  readonly isFull: boolean;
  /** Why it is not up, for people. */
  readonly reason: string | null;
  /** Milliseconds since it last answered; `null` when it never did. */
  readonly silentMs: number | null;
  /** As it last described itself. */
  readonly status: NodeStatus | null;
}

export interface NodeMonitorOptions {
  readonly environment: Environment;
  /** How long a node has to be silent before its blocks are made anew elsewhere; 10 minutes unless told. */
  readonly outAfterMs?: number;
  /** How often every node is asked; 5 s unless told. */
  readonly heartbeatMs?: number;
  /** A node was seen with another identity than the database has; to be noted there. */
  readonly onSeen?: (nodeId: string, status: NodeStatus) => void;
  /**
   * A node that answers may have lost something since it last did: it was started anew, its disk is another one, or more
   * of its records are damaged.
   */
  readonly onDoubt?: (nodeId: string) => void;
  /** A node's state changed. */
  readonly onChange?: (nodeId: string, state: NodeState) => void;
}

export interface NodeMonitor extends ReplicaNodes {
  /** Says which nodes there are; those that stay keep what is known of them. */
  setNodes(nodes: readonly ClusterNode[]): void;
  health(): NodeHealth[];
  /** Treats the node as not there for so long from now; 0 ends that. It also ends with this process. */
  holdOut(nodeId: string, forMs: number): void;
  /** Asks every node once, at the same time. Never rejects. */
  poll(): Promise<void>;
  /** Polls, every 5 s unless told otherwise, until the monitor is closed. */
  start(): void;
}

interface Watched {
  node: ClusterNode;
  lastAnswerMs: number | null;
  firstSeenMs: number;
  answersInRow: number;
  hasFailed: boolean;
  fullUntilMs: number;
  heldUntilMs: number;
  fenced: string | null;
  /** The most starts that anything with its identity has counted. */
  highestBoot: number;
  reason: string | null;
  status: NodeStatus | null;
  reported: NodeState;
}

function mayLack(before: NodeStatus, now: NodeStatus): boolean {
  return (
    now.storeUuid !== before.storeUuid ||
    now.bootCount !== before.bootCount ||
    now.usage.quarantinedRecords > before.usage.quarantinedRecords
  );
}

export function createNodeMonitor(options: NodeMonitorOptions): NodeMonitor {
  const { environment } = options;
  const outAfterMs = options.outAfterMs ?? OUT_MS;
  const { clock, timers, log } = environment;
  const watched = new Map<string, Watched>();
  const stop = new AbortController();
  let running: Promise<void> | null = null;

  function stateOf(each: Watched): NodeState {
    if (each.fenced !== null) return 'fenced';
    if (clock.monotonicMs() < each.heldUntilMs) return 'held-out';
    const silentMs = clock.monotonicMs() - (each.lastAnswerMs ?? each.firstSeenMs);
    if (silentMs >= outAfterMs) return 'out';
    if (silentMs >= DOWN_MS) return 'down';
    if (silentMs >= SUSPECT_MS) return 'suspect';
    if (each.lastAnswerMs === null) return 'unknown';
    return each.hasFailed ? 'failing' : 'up';
  }

  function report(each: Watched): void {
    const state = stateOf(each);
    if (state === each.reported) return;
    const before = each.reported;
    each.reported = state;
    const { nodeId } = each.node;
    log.info('storage-nodes.state', { nodeId, from: before, to: state, reason: each.reason });
    options.onChange?.(nodeId, state);
  }

  function isFull(each: Watched): boolean {
    return clock.monotonicMs() < each.fullUntilMs || each.status?.refusesWrites != null;
  }

  /** Why what answers is not the node that the database means, or `null`. */
  function findImpostor({ node, status: before }: Watched, status: NodeStatus): string | null {
    if (status.nodeId !== node.nodeId) return `another node (${status.nodeId}) answers at its address`;
    const known = Math.max(node.bootCount, before?.bootCount ?? 0);
    if (status.bootCount < known) return 'its folder is an older copy: it counts fewer starts than were seen';
    if (before !== null && status.bootId !== before.bootId && status.bootCount <= before.bootCount) {
      return 'two processes use its identity';
    }
    return null;
  }

  async function ask(each: Watched): Promise<void> {
    const { nodeId } = each.node;
    try {
      const status = await each.node.blocks.status();
      if (watched.get(nodeId) !== each) return;
      const impostor = findImpostor(each, status);
      const isNewStart = status.bootCount > each.highestBoot;
      each.highestBoot = Math.max(each.highestBoot, status.bootCount);
      // Of two copies one may answer as expected; only a start after all that was seen shows that somebody chose.
      if (impostor === null && each.fenced !== null && !isNewStart) return;
      if (impostor !== null) {
        each.fenced = impostor;
        each.reason = impostor;
        log.error('storage-nodes.fenced', { nodeId, reason: impostor });
        report(each);
        return;
      }
      each.fenced = null;
      each.answersInRow++;
      each.lastAnswerMs = clock.monotonicMs();
      each.reason = status.refusesWrites;
      if (each.answersInRow >= ANSWERS_TO_BE_UP) each.hasFailed = false;
      const isNew = each.node.storeUuid !== status.storeUuid || each.node.bootCount !== status.bootCount;
      // It may have more room since it was started anew.
      if (isNewStart) each.fullUntilMs = 0;
      const before = each.status;
      each.status = status;
      if (before !== null && mayLack(before, status)) options.onDoubt?.(nodeId);
      if (isNew) options.onSeen?.(nodeId, status);
    } catch (error) {
      fail(each, error);
    }
    report(each);
  }

  function fail(each: Watched, error: unknown): void {
    each.answersInRow = 0;
    each.hasFailed = true;
    each.reason = error instanceof Error ? error.message : String(error);
  }

  async function poll(): Promise<void> {
    await Promise.all([...watched.values()].map(ask));
    // Time alone changes a state, too.
    for (const each of watched.values()) report(each);
  }

  return {
    setNodes(nodes) {
      const present = new Set(nodes.map(({ nodeId }) => nodeId));
      for (const nodeId of watched.keys()) if (!present.has(nodeId)) watched.delete(nodeId);
      for (const node of nodes) {
        const known = watched.get(node.nodeId);
        if (known !== undefined) {
          known.node = node;
          continue;
        }
        watched.set(node.nodeId, {
          node,
          lastAnswerMs: null,
          firstSeenMs: clock.monotonicMs(),
          answersInRow: 0,
          hasFailed: false,
          fullUntilMs: 0,
          heldUntilMs: 0,
          fenced: null,
          highestBoot: node.bootCount,
          reason: null,
          status: null,
          reported: 'unknown',
        });
      }
    },
    list() {
      return [...watched.values()].map((each): ReplicaNode => {
        const state = stateOf(each);
        const { nodeId, weight, zone, blocks, isDraining } = each.node;
        return {
          nodeId,
          weight,
          zone,
          blocks,
          isUp: state === 'up',
          isMember: state !== 'out' && state !== 'fenced' && !isDraining,
          isReadable: state === 'up' || state === 'failing' || state === 'suspect' || state === 'unknown',
          isWritable: state === 'up' && !isDraining && !isFull(each),
        };
      });
    },
    note(nodeId, outcome, error) {
      const each = watched.get(nodeId);
      if (each === undefined) return;
      if (outcome === 'answered') each.lastAnswerMs = clock.monotonicMs();
      else if (outcome === 'full') each.fullUntilMs = clock.monotonicMs() + FULL_MS;
      else {
        fail(each, error);
        report(each);
      }
    },
    health() {
      return [...watched.values()].map((each) => ({
        nodeId: each.node.nodeId,
        state: stateOf(each),
        isDraining: each.node.isDraining,
        isFull: isFull(each),
        reason: stateOf(each) === 'held-out' ? 'a drill holds it out for a moment' : each.reason,
        silentMs: each.lastAnswerMs === null ? null : clock.monotonicMs() - each.lastAnswerMs,
        status: each.status,
      }));
    },
    holdOut(nodeId, forMs) {
      const each = watched.get(nodeId);
      if (each === undefined) return;
      each.heldUntilMs = clock.monotonicMs() + forMs;
      report(each);
    },
    poll,
    start() {
      running ??= (async () => {
        while (!stop.signal.aborted) {
          await poll();
          try {
            await timers.sleep(options.heartbeatMs ?? HEARTBEAT_MS, stop.signal);
          } catch (error) {
            if (!stop.signal.aborted) throw error;
          }
        }
      })();
    },
    async close() {
      stop.abort(new Error('the monitor is closed'));
      await Promise.allSettled([...watched.values()].map(({ node }) => node.blocks.close()));
      await running;
    },
  };
}
