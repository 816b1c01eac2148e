import { CairnError } from '@cairn/model';
import { CLOSE_CODES, type ServerEvent } from '@cairn/protocol';
import type { WebSocket } from '@fastify/websocket';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { TransferAnnounced } from '../../../../foundation/hint-board.ts';
import type { Route } from '../../../../foundation/route-context.ts';

/** Hints are tiny; whoever lets this much pile up does not read. */
const MAX_BUFFERED_BYTES = 64 * 1024;
/** Whoever has this much to read misses announcements, which are not tiny. */
const MAX_BUFFERED_BEFORE_ANNOUNCEMENT_BYTES = 16 * 1024;
/** A client has nothing to say here but pongs. */
const MAX_MESSAGES_PER_PING = 100;

/** WebSocket /api/v1/sync/events */
export const eventsRoute: Route = (app, context) => {
  const { access, data, hints, environment, metrics, stopping, config } = context;
  const { timers, log } = environment;
  let open = 0;

  app.get(
    '/api/v1/sync/events',
    {
      websocket: true,
      preValidation: async () => {
        if (open >= config.limits.webSockets) {
          throw new CairnError('unavailable', 'the server has too many event connections; use the long poll');
        }
      },
    },
    async (socket: WebSocket, request) => {
      const principal = principalOf(request);
      const endings: (() => void)[] = [];
      let ended = false;
      let answered = true;
      let messages = 0;
      let cancelPing = (): void => undefined;
      open++;
      metrics.webSockets.inc();

      function end(): void {
        if (ended) return;
        ended = true;
        open--;
        metrics.webSockets.dec();
        cancelPing();
        for (const ending of endings.splice(0)) ending();
      }
      function send(event: ServerEvent): void {
        if (ended || socket.readyState !== socket.OPEN) return;
        if (socket.bufferedAmount > MAX_BUFFERED_BYTES) {
          log.info('events.too-slow', { deviceId: principal.deviceId });
          end();
          socket.terminate();
          return;
        }
        socket.send(JSON.stringify(event));
      }
      function announce({ deviceId, spaceId, announcement }: TransferAnnounced): void {
        if (deviceId === principal.deviceId) return;
        if (socket.bufferedAmount > MAX_BUFFERED_BEFORE_ANNOUNCEMENT_BYTES) return;
        send({ type: 'announcement', spaceId, announcement });
      }
      function close(code: number, reason: string): void {
        end();
        socket.close(code, reason);
        // A peer that does not answer the close does not stay connected for it.
        timers.schedule(1000, () => socket.terminate());
      }
      function revoke(): void {
        send({ type: 'revoked' });
        close(CLOSE_CODES.revoked, 'this device was signed out');
      }
      async function checkPeer(): Promise<void> {
        if (ended) return;
        if (!answered) {
          end();
          socket.terminate();
          return;
        }
        // Revocation comes as a hint too; hints between servers may get lost.
        if (!(await access.devices.isActive(principal))) {
          revoke();
          return;
        }
        if (ended) return;
        answered = false;
        messages = 0;
        socket.ping();
        // A script in a browser sees no pings.
        if (request.isByCookie) send({ type: 'alive' });
        schedulePing();
      }
      function schedulePing(): void {
        cancelPing = timers.schedule(config.limits.pingIntervalMs, () => {
          checkPeer().catch((error: unknown) => {
            log.warn('events.check-failed', { requestId: request.id, message: String(error) });
            close(CLOSE_CODES.goingAway, 'the server has a problem');
          });
        });
      }

      socket.on('close', end);
      socket.on('pong', () => {
        answered = true;
      });
      socket.on('message', () => {
        if (++messages > MAX_MESSAGES_PER_PING) close(1008, 'too many messages');
      });
      const onStopping = () => close(CLOSE_CODES.goingAway, 'the server stops');
      stopping.addEventListener('abort', onStopping, { once: true });
      endings.push(() => stopping.removeEventListener('abort', onStopping));
      endings.push(hints.onDeviceRevoked(principal.deviceId, revoke));
      // A browser has no folder to receive anything into.
      if (!request.isByCookie) endings.push(hints.onTransferAnnounced(principal.userId, announce));
      try {
        const { spaces } = await access.accounts.describe(principal);
        for (const { spaceId } of spaces) {
          if (ended) return;
          endings.push(
            hints.onSpaceAdvanced(spaceId, (sequence) => send({ type: 'hint', spaceId, sequence })),
          );
          // What happened while nobody was connected.
          send({ type: 'hint', spaceId, sequence: await data.spaces.currentSequence(principal, spaceId) });
        }
        if (stopping.aborted) onStopping();
        // The device may have been revoked between its authentication and the subscription above.
        else if (!(await access.devices.isActive(principal))) revoke();
        else if (!ended) schedulePing();
      } catch (error) {
        log.warn('events.failed', { requestId: request.id, message: String(error) });
        close(CLOSE_CODES.goingAway, 'the server has a problem');
      }
    },
  );
};
