import {
  type ConflictObject,
  conflictParamsSchema,
  conflictsQuerySchema,
  conflictsResponseSchema,
  PROTOCOL_LIMITS,
  resolveConflictRequestSchema,
  spaceParamsSchema,
} from '@cairn/protocol';
import type { Conflict, ConflictSide } from '@cairn/services';
import { z } from 'zod';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';
import { toFileObject, toVersionObject } from '../../../../streaming/file-object.ts';

function toSide({ entry, path, version }: ConflictSide): ConflictObject['copy'] {
  return { entry: toFileObject(entry, path), version: toVersionObject(version) };
}

function toConflictObject({ conflictOf, copy, original, base }: Conflict): ConflictObject {
  return {
    conflictOf,
    copy: toSide(copy),
    original: original === null ? null : toSide(original),
    base: base === null ? null : toVersionObject(base),
  };
}

/** GET /api/v1/spaces/{spaceId}/conflicts and POST …/conflicts/{entryId}/resolve */
export const conflictsRoute: Route = (app, { data }) => {
  app.get(
    '/api/v1/spaces/:spaceId/conflicts',
    {
      schema: {
        tags: ['conflicts'],
        summary: 'Conflict copies that nobody has decided about, each with what it is a copy of',
        params: spaceParamsSchema,
        querystring: conflictsQuerySchema,
        response: { 200: conflictsResponseSchema },
      },
    },
    async (request) => {
      const { after = null, limit = PROTOCOL_LIMITS.defaultPageEntries } = request.query;
      const page = { after, limit };
      const found = await data.conflicts.list(principalOf(request), request.params.spaceId, page);
      return { conflicts: found.conflicts.map(toConflictObject), next: found.next };
    },
  );

  app.post(
    '/api/v1/spaces/:spaceId/conflicts/:entryId/resolve',
    {
      schema: {
        tags: ['conflicts'],
        summary: 'Keep the copy’s content, the other one, or both',
        params: conflictParamsSchema,
        body: resolveConflictRequestSchema,
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      const { spaceId, entryId } = request.params;
      await data.conflicts.resolve(principalOf(request), spaceId, entryId, request.body);
      return reply.status(204).send();
    },
  );
};
