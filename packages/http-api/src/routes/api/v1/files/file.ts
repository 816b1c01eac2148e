import {
  entryParamsSchema,
  entryResponseSchema,
  fileResponseSchema,
  updateFileRequestSchema,
} from '@cairn/protocol';
import { z } from 'zod';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';
import { toFileObject } from '../../../../streaming/file-object.ts';

/** GET, PATCH and DELETE /api/v1/files/{entryId} */
export const fileRoute: Route = (app, { data }) => {
  app.get(
    '/api/v1/files/:entryId',
    {
      schema: {
        tags: ['files'],
        summary: 'An entry by its id; for a file also the list of its chunks',
        params: entryParamsSchema,
        response: { 200: fileResponseSchema },
      },
    },
    async (request) => {
      const { entry, path } = await data.files.get(principalOf(request), request.params.entryId);
      return {
        entry: toFileObject(entry, path),
        ...(entry.kind === 'file' ? { content: entry.content } : {}),
      };
    },
  );

  app.patch(
    '/api/v1/files/:entryId',
    {
      schema: {
        tags: ['files'],
        summary: 'Rename, move or change attributes',
        params: entryParamsSchema,
        body: updateFileRequestSchema,
        response: { 200: entryResponseSchema },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      await data.files.update(principal, request.params.entryId, request.body);
      const { entry, path } = await data.files.get(principal, request.params.entryId);
      return { entry: toFileObject(entry, path) };
    },
  );

  app.delete(
    '/api/v1/files/:entryId',
    {
      schema: {
        tags: ['files'],
        summary: 'Move to the trash with everything below',
        params: entryParamsSchema,
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      await data.files.remove(principalOf(request), request.params.entryId);
      return reply.status(204).send();
    },
  );
};
