import { CairnError, type SpaceId } from '@cairn/model';
import { changesQuerySchema, changesResponseSchema, PROTOCOL_LIMITS } from '@cairn/protocol';
import type { Principal } from '@cairn/services';
import type { FastifyReply } from 'fastify';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route, RouteContext } from '../../../../foundation/route-context.ts';
import { answerUnchecked } from '../../../../foundation/unchecked-answers.ts';
import { packInlineBlocks } from './inline-blocks.ts';

interface Watch {
  /** Resolves true when the space advanced, false when waiting is over for another reason. */
  wait(waitMs: number): Promise<boolean>;
  end(): void;
}

/** Watches from before the first look at the journal, so that nothing falls between look and wait. */
function watchSpace(
  context: RouteContext,
  principal: Principal,
  spaceId: SpaceId,
  reply: FastifyReply,
): Watch {
  const { hints, environment, stopping } = context;
  let advanced = false;
  let over = stopping.aborted;
  let wake: (() => void) | null = null;
  const onAdvanced = () => {
    advanced = true;
    wake?.();
  };
  const onOver = () => {
    over = true;
    wake?.();
  };
  const endings = [
    hints.onSpaceAdvanced(spaceId, onAdvanced),
    hints.onDeviceRevoked(principal.deviceId, onOver),
    () => stopping.removeEventListener('abort', onOver),
    () => reply.raw.removeListener('close', onOver),
  ];
  stopping.addEventListener('abort', onOver, { once: true });
  reply.raw.once('close', onOver);
  return {
    async wait(waitMs) {
      if (advanced || over) return advanced;
      await new Promise<void>((resolve) => {
        wake = resolve;
        endings.push(environment.timers.schedule(waitMs, resolve));
      });
      return advanced;
    },
    end() {
      for (const end of endings) end();
    },
  };
}

/** GET /api/v1/sync/changes; with `waitMs` a long poll. */
export const changesRoute: Route = (app, context) => {
  const { data, access, metrics, config } = context;
  let waiting = 0;
  app.get(
    '/api/v1/sync/changes',
    {
      schema: {
        tags: ['sync'],
        summary: 'The journal after a cursor; waits up to waitMs for something new',
        querystring: changesQuerySchema,
        response: { 200: changesResponseSchema },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      answerUnchecked(reply);
      const { spaceId, cursor, waitMs = 0, inlineBytes = 0 } = request.query;
      const { limit = PROTOCOL_LIMITS.defaultChanges } = request.query;
      const read = async () => {
        const page = await data.spaces.readChanges(principal, spaceId, cursor, limit);
        const pack = await packInlineBlocks(context, principal, spaceId, page.changes, inlineBytes);
        return { ...page, changes: [...page.changes], ...(pack === undefined ? {} : { pack }) };
      };
      if (waitMs === 0 || waiting >= config.limits.concurrentLongPolls) return read();
      const watch = watchSpace(context, principal, spaceId, reply);
      waiting++;
      metrics.longPolls.inc();
      try {
        const page = await read();
        if (page.changes.length > 0 || page.more) return page;
        const advanced = await watch.wait(waitMs);
        if (!(await access.devices.isActive(principal))) {
          throw new CairnError('session-revoked', 'this device was signed out; sign in again');
        }
        // Without a hint it is asked again too: hints between servers may get lost.
        return advanced || !context.stopping.aborted ? await read() : page;
      } finally {
        watch.end();
        waiting--;
        metrics.longPolls.dec();
      }
    },
  );
};
