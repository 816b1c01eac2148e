import { crc32 } from 'node:zlib';
import type { SocketHandlers, Transport, TransportRequest, TransportResponse } from '@cairn/client';
import { type Announcement, CairnError } from '@cairn/model';
import type { ServerEvent } from '@cairn/protocol';
import type { Statistics } from '../statistics.ts';
import type { Trace } from '../trace.ts';
import type { FrontAnswer, FrontRequest } from './front.ts';
import { type Link, latencyOf } from './link.ts';
import type { SimulatedServer } from './server.ts';
import type { Timeline } from './timeline.ts';

export const SERVER_URL = 'http://127.0.0.1:7311';
const IDLE_TIMEOUT_MS = 60_000;
const PING_MS = 20_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;

export interface TransportDeps {
  readonly device: string;
  readonly link: Link;
  readonly server: SimulatedServer;
  readonly timeline: Timeline;
  readonly trace: Trace;
  readonly statistics: Statistics;
}

/** Devices with disks read their files themselves. */
function inMemory(piece: Uint8Array | Blob): Uint8Array {
  if (piece instanceof Uint8Array) return piece;
  throw new Error('the simulated network takes bytes only');
}

/** The client's transport over a simulated network to a simulated server. */
export function createSimulatedTransport(deps: TransportDeps): Transport {
  const { device, link, server, timeline, trace, statistics } = deps;
  const { faults, draw } = link;
  const open = new Set<() => void>();
  let closed = false;

  function unreachable(why: string): CairnError {
    return new CairnError('server-unreachable', `the simulated server cannot be reached: ${why}`);
  }

  function happens(percent: number, state: string): boolean {
    if (percent === 0 || !draw.chance(percent)) return false;
    statistics.count(state);
    return true;
  }

  async function toServer(request: FrontRequest): Promise<FrontAnswer> {
    const answer = await server.handle(request);
    if (answer === null) throw unreachable('it refuses connections');
    trace.note(`${device} ← ${answer.status} ${answer.body.length}`);
    return answer;
  }

  async function exchange(asked: TransportRequest, request: FrontRequest): Promise<TransportResponse> {
    const { timers } = timeline;
    const { signal } = asked;
    const idleMs = asked.idleTimeoutMs ?? IDLE_TIMEOUT_MS;
    const isCommit = asked.path.endsWith('/changesets');
    await timers.sleep(latencyOf(link), signal);
    if (faults.offline) throw unreachable('no network');
    if (faults.halfOpen) {
      statistics.count('net:half-open');
      await timers.sleep(idleMs, signal);
      throw unreachable('it fell silent');
    }
    if (happens(faults.lossBefore, 'net:request-lost')) throw unreachable('the connection broke');
    if (happens(faults.strangers, 'net:stranger')) return strange(draw.below(4));
    let answer = await toServer(request);
    if (happens(faults.duplicates, 'net:request-twice')) {
      await timers.sleep(latencyOf(link), signal);
      const second = await toServer(request);
      if (draw.chance(50)) answer = second;
    }
    if (faults.lostCommits > 0 && isCommit) {
      faults.lostCommits--;
      statistics.count('net:commit-answer-lost');
      throw unreachable('the connection broke after the request');
    }
    if (happens(faults.late, 'net:answer-late')) {
      await timers.sleep(idleMs, signal);
      throw unreachable('the answer came too late');
    }
    await timers.sleep(latencyOf(link), signal);
    if (faults.offline || faults.halfOpen || happens(faults.lossAfter, 'net:answer-lost')) {
      if (isCommit) statistics.count('net:commit-answer-lost');
      throw unreachable('the connection broke before the answer');
    }
    const breakAt = happens(faults.broken, 'net:answer-broken') ? draw.below(answer.body.length + 1) : null;
    if (asked.path.endsWith('/blocks/read') && answer.status === 200) answer = damage(answer);
    return toResponse(answer, breakAt);
  }

  /** What a broken disk or memory on the way does to blocks. */
  function damage(answer: FrontAnswer): FrontAnswer {
    const { damageDraw } = link;
    if (faults.damaged === 0 || answer.body.length === 0 || !damageDraw.chance(faults.damaged)) return answer;
    statistics.count('net:block-damaged');
    const body = Uint8Array.from(answer.body);
    const at = damageDraw.below(body.length);
    body[at] = (body[at] as number) ^ (1 << damageDraw.below(8));
    return { ...answer, body };
  }

  function toResponse(answer: FrontAnswer, breakAt: number | null): TransportResponse {
    return {
      status: answer.status,
      headers: answer.headers,
      body: readBody(answer.body, breakAt),
      discard: () => undefined,
    };
  }

  async function* readBody(body: Uint8Array, breakAt: number | null): AsyncGenerator<Uint8Array> {
    const end = breakAt ?? body.length;
    const half = end >> 1;
    if (half > 0) yield body.subarray(0, half);
    if (end > half) yield body.subarray(half, end);
    if (breakAt !== null) throw unreachable('the answer broke off');
  }

  return {
    serverUrl: SERVER_URL,
    async request(asked) {
      if (closed) throw unreachable('the process has ended');
      asked.signal?.throwIfAborted();
      link.requests++;
      if (asked.path.endsWith('/changesets')) link.commits++;
      else if (asked.path.endsWith('/packs')) link.packs++;
      else if (asked.path.endsWith('/blocks/read')) link.reads++;
      const body = asked.body === undefined ? null : Buffer.concat(asked.body.map(inMemory));
      trace.note(`${device} → ${asked.method} ${asked.path} ${body === null ? '' : checksum(body)}`);
      const request: FrontRequest = {
        method: asked.method,
        path: asked.path,
        headers: {
          ...asked.headers,
          ...(body === null ? {} : { 'content-length': String(body.length) }),
        },
        body,
      };
      const stop = new AbortController();
      const signal = asked.signal === undefined ? stop.signal : AbortSignal.any([asked.signal, stop.signal]);
      const cut = (): void => stop.abort(unreachable('the process has ended'));
      open.add(cut);
      const isCommit = asked.path.endsWith('/changesets');
      if (isCommit) link.openCommits++;
      try {
        return await exchange({ ...asked, signal }, request);
      } finally {
        open.delete(cut);
        if (isCommit) link.openCommits--;
      }
    },
    openSocket: (_path, headers, handlers) => openSocket(deps, headers, handlers, open, () => closed),
    sentBytes: 0,
    receivedBytes: 0,
    close() {
      closed = true;
      for (const cut of [...open]) cut();
      open.clear();
    },
  };
}

/** Answers of hotels, proxies and servers that are not ours. */
function strange(which: number): TransportResponse {
  const page = new TextEncoder().encode('<html>please sign in to the network</html>');
  const statuses = [200, 502, 503, 302];
  return {
    status: statuses[which] as number,
    headers: { 'content-type': 'text/html', ...(which === 2 ? { 'retry-after': '1' } : {}) },
    body: (async function* () {
      yield page;
    })(),
    discard: () => undefined,
  };
}

/** The event socket: hints only, lost and late as the link wants it. */
function openSocket(
  { link, server, timeline, device, trace, statistics }: TransportDeps,
  headers: Readonly<Record<string, string>>,
  handlers: SocketHandlers,
  openSockets: Set<() => void>,
  isClosed: () => boolean,
): { close(): void } {
  const { faults, draw } = link;
  const { schedule } = timeline;
  let ended = false;
  /** The other end is gone without a word: nothing comes any more, whatever becomes of the network. */
  let isDead = false;
  let unsubscribe = (): void => undefined;
  let cancelPing = (): void => undefined;

  function end(status: number | null, code: number | null): void {
    if (ended) return;
    ended = true;
    openSockets.delete(drop);
    unsubscribe();
    cancelPing();
    handlers.onClose({ status, code });
  }
  const drop = (): void => {
    ended = true;
    unsubscribe();
    cancelPing();
  };
  function ping(): void {
    cancelPing = schedule(PING_MS, () => {
      if (faults.offline) return end(null, 1006);
      isDead ||= faults.halfOpen;
      if (!isDead) handlers.onActivity();
      ping();
    });
  }
  function onHint(sequence: number): void {
    say(`hint ${sequence}`, { type: 'hint', spaceId: server.spaceId, sequence });
  }
  function onAnnouncement(announcement: Announcement): void {
    statistics.count('net:announcement');
    if (announcement.copies !== undefined) statistics.count('net:announced-copies');
    say(`announcement ${announcement.chunks.length}`, {
      type: 'announcement',
      spaceId: server.spaceId,
      announcement,
    });
  }
  function say(label: string, event: ServerEvent): void {
    isDead ||= faults.halfOpen;
    if (faults.offline || isDead) return;
    if (faults.hintsLost > 0 && draw.chance(faults.hintsLost)) {
      statistics.count('net:hint-lost');
      return;
    }
    const late = faults.hintsLate > 0 && draw.chance(faults.hintsLate);
    if (late) statistics.count('net:hint-late');
    schedule(latencyOf(link) + (late ? 500 + draw.below(5000) : 0), () => {
      isDead ||= faults.halfOpen;
      if (ended || faults.offline || isDead) return;
      trace.note(`${device} ${label}`);
      handlers.onActivity();
      handlers.onMessage(JSON.stringify(event));
    });
  }

  openSockets.add(drop);
  schedule(latencyOf(link), () => {
    if (ended || isClosed()) return;
    if (faults.halfOpen) {
      cancelPing = schedule(HANDSHAKE_TIMEOUT_MS, () => end(null, null));
      return;
    }
    if (faults.offline || !server.isUp) return end(null, null);
    const token = (headers['authorization'] ?? '').replace(/^Bearer /, '');
    server
      .work(({ access }) => access.sessions.authenticate(token))
      .then(
        ({ principal }) =>
          schedule(latencyOf(link), () => {
            if (ended) return;
            if (!server.isUp) return end(null, 1006);
            const onGone = (): void => end(null, 1006);
            unsubscribe = server.subscribe({ principal, onHint, onAnnouncement, onGone });
            handlers.onOpen();
            ping();
          }),
        () => end(401, null),
      );
  });
  return {
    close() {
      end(null, null);
    },
  };
}

function checksum(bytes: Uint8Array): string {
  return `${bytes.length}:${crc32(bytes).toString(16)}`;
}
