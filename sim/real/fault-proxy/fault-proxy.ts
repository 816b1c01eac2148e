import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createSeededRandom, type SeededRandom } from '@cairn/bench';
import { createDelayedPipe } from './delayed-pipe.ts';
import { type FakedAnswer, type FaultCounts, type Faults, formatAnswer, NO_FAULTS } from './faults.ts';
import { createRequestReader, type RequestPiece } from './request-reader.ts';

export interface FaultProxy {
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly counts: Readonly<FaultCounts>;
  readonly openConnections: number;
  /** Changes some faults, also for connections that are open. */
  set(faults: Partial<Faults>): void;
  /** No faults from now on. */
  heal(): void;
  /** Ends every open connection, in the middle of whatever it says. */
  breakAll(how: 'close' | 'reset'): void;
  /** Another port of this machine to pass on to: a server that came back elsewhere. */
  retarget(port: number): void;
  close(): Promise<void>;
}

const MAX_REPLAYED_BYTES = 32 * 1024 * 1024;
const REPLAY_TIMEOUT_MS = 10_000;

/** Stands between a client and a port of this machine, and does what networks and what is in them do. */
export async function startFaultProxy(targetPort: number, seed: string): Promise<FaultProxy> {
  const random = createSeededRandom(`fault proxy ${seed}`);
  const counts: FaultCounts = {
    connections: 0,
    refused: 0,
    cut: 0,
    reset: 0,
    swallowedBytes: 0,
    requests: 0,
    duplicated: 0,
    faked: 0,
    lostAnswers: 0,
  };
  const state: ProxyState = {
    faults: NO_FAULTS,
    port: targetPort,
    random,
    counts,
    answered: new Map(),
    open: new Set(),
    replays: new Set(),
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (state.faults.refuse) {
      counts.refused++;
      client.on('error', () => undefined);
      client.resetAndDestroy();
    } else openConnection(state, client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    counts,
    get openConnections() {
      return state.open.size;
    },
    set(faults) {
      if (faults.answers !== undefined) state.answered.clear();
      state.faults = { ...state.faults, ...faults };
    },
    heal() {
      state.faults = NO_FAULTS;
    },
    breakAll(how) {
      for (const connection of [...state.open]) connection.break(how);
    },
    retarget(newPort) {
      state.port = newPort;
    },
    async close() {
      server.close();
      for (const timer of state.replays) clearTimeout(timer);
      for (const connection of [...state.open]) connection.break('close');
      await once(server, 'close');
    },
  };
}

interface ProxyState {
  faults: Faults;
  port: number;
  readonly random: SeededRandom;
  readonly counts: FaultCounts;
  readonly answered: Map<FakedAnswer, number>;
  readonly open: Set<{ break(how: 'close' | 'reset'): void }>;
  readonly replays: Set<NodeJS.Timeout>;
}

function openConnection(state: ProxyState, client: Socket): void {
  const { counts, random } = state;
  counts.connections++;
  const upstream = connect({ port: state.port, host: '127.0.0.1', allowHalfOpen: true });
  for (const socket of [client, upstream]) socket.setNoDelay(true);
  const faults = () => state.faults;
  const up = createDelayedPipe({ source: client, target: upstream, random, faults });
  const down = createDelayedPipe({ source: upstream, target: client, random, faults });
  const reader = createRequestReader();
  const { cutAfter } = state.faults;
  const passed = { up: 0, down: 0 };
  let isDead = false;
  /** The request that is being said is answered by us. */
  let faking: FakedAnswer | null = null;
  let recorded: Buffer[] | null = null;
  let losesAnswer = false;

  const connection = {
    break(how: 'close' | 'reset') {
      up.stop();
      down.stop();
      state.open.delete(connection);
      for (const socket of [client, upstream]) {
        if (how === 'reset') socket.resetAndDestroy();
        else socket.destroy();
      }
    },
  };
  state.open.add(connection);

  /** Whether the bytes may go on; otherwise what they meet has happened already. */
  function survives(direction: 'up' | 'down', bytes: Buffer): boolean {
    const { halfOpen, cutChance, resetChance } = state.faults;
    if (halfOpen === direction || halfOpen === 'both') isDead = true;
    if (isDead) {
      counts.swallowedBytes += bytes.length;
      return false;
    }
    if (cutChance > 0 && random.chance(cutChance)) {
      counts.cut++;
      connection.break('close');
      return false;
    }
    if (resetChance > 0 && random.chance(resetChance)) {
      counts.reset++;
      connection.break('reset');
      return false;
    }
    return true;
  }

  function pass(direction: 'up' | 'down', bytes: Buffer): void {
    const pipe = direction === 'up' ? up : down;
    const room =
      cutAfter?.direction === direction ? cutAfter.bytes - passed[direction] : Number.POSITIVE_INFINITY;
    passed[direction] += bytes.length;
    if (bytes.length < room) {
      pipe.push(bytes);
      return;
    }
    counts.cut++;
    const target = direction === 'up' ? upstream : client;
    if (room > 0) target.write(bytes.subarray(0, room));
    // What was written goes out before the end of the connection.
    target.end(() => connection.break('close'));
  }

  function takeRequest(piece: RequestPiece): void {
    if (piece.isFirst) {
      counts.requests++;
      faking = chooseAnswer(state, piece.line);
      losesAnswer = chooseLoss(state, piece.line);
      const { duplicateChance } = state.faults;
      const isReplayed =
        faking === null && !piece.isUpgrade && duplicateChance > 0 && random.chance(duplicateChance);
      recorded = isReplayed ? [] : null;
    }
    if (recorded !== null) {
      recorded.push(Buffer.from(piece.bytes));
      if (recorded.reduce((sum, { length }) => sum + length, 0) > MAX_REPLAYED_BYTES) recorded = null;
    }
    if (faking === null) {
      pass('up', piece.bytes);
      if (piece.isLast && recorded !== null) replay(state, Buffer.concat(recorded));
      return;
    }
    if (!piece.isLast && !(piece.isFirst && piece.isUpgrade)) return;
    counts.faked++;
    down.push(formatAnswer(faking));
    if (faking.bodyBytes !== undefined || piece.isUpgrade) down.end();
  }

  client.on('data', (bytes: Buffer) => {
    if (!survives('up', bytes)) return;
    for (const piece of reader.read(bytes)) takeRequest(piece);
  });
  upstream.on('data', (bytes: Buffer) => {
    if (losesAnswer) {
      counts.lostAnswers++;
      connection.break('reset');
    } else if (survives('down', bytes)) pass('down', bytes);
  });
  client.on('end', () => {
    if (!isDead) up.end();
  });
  upstream.on('end', () => {
    if (!isDead) down.end();
  });
  for (const socket of [client, upstream]) {
    socket.on('error', () => {
      if (!isDead) connection.break('reset');
    });
    socket.on('close', () => {
      if (!isDead) connection.break('close');
      else if (client.destroyed && upstream.destroyed) state.open.delete(connection);
    });
  }
}

function chooseAnswer(state: ProxyState, line: string): FakedAnswer | null {
  for (const answer of state.faults.answers) {
    if (answer.request !== undefined && !answer.request.test(line)) continue;
    const given = state.answered.get(answer) ?? 0;
    if (given >= (answer.times ?? Number.POSITIVE_INFINITY)) continue;
    state.answered.set(answer, given + 1);
    return answer;
  }
  return null;
}

function chooseLoss(state: ProxyState, line: string): boolean {
  const { loseAnswers } = state.faults;
  if (loseAnswers === null || loseAnswers.times === 0 || !loseAnswers.request.test(line)) return false;
  state.faults = { ...state.faults, loseAnswers: { ...loseAnswers, times: loseAnswers.times - 1 } };
  return true;
}

/** Sends one whole request again on a connection of its own, and does not care for the answer. */
function replay(state: ProxyState, request: Buffer): void {
  state.counts.duplicated++;
  const timer = setTimeout(() => {
    state.replays.delete(timer);
    const socket = connect({ port: state.port, host: '127.0.0.1' }, () => socket.write(request));
    const connection = { break: () => socket.destroy() };
    state.open.add(connection);
    socket.setTimeout(REPLAY_TIMEOUT_MS, () => socket.destroy());
    socket.once('data', () => setTimeout(() => socket.destroy(), 50).unref());
    socket.resume();
    socket.on('error', () => undefined);
    socket.on('close', () => state.open.delete(connection));
  }, state.random.fraction() * state.faults.duplicateWithinMs);
  state.replays.add(timer);
}
