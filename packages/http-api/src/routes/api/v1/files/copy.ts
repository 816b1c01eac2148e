import { copyRequestSchema, entryParamsSchema, entryResponseSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';
import { toFileObject } from '../../../../streaming/file-object.ts';

/** POST /api/v1/files/{entryId}/copy */
export const copyRoute: Route = (app, { data }) => {
  app.post(
    '/api/v1/files/:entryId/copy',
    {
      schema: {
        tags: ['files'],
        summary: 'Copy a file, or a folder with everything below; no content is stored twice',
        params: entryParamsSchema,
        body: copyRequestSchema,
        response: { 201: entryResponseSchema },
      },
    },
    async (request, reply) => {
      const copied = await data.files.copy(principalOf(request), request.params.entryId, request.body);
      return reply.status(201).send({ entry: toFileObject(copied.entry, copied.path) });
    },
  );
};
