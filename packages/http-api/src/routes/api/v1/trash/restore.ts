import { entryParamsSchema, entryResponseSchema, restoreRequestSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';
import { toFileObject } from '../../../../streaming/file-object.ts';

/** POST /api/v1/trash/{entryId}/restore */
export const restoreRoute: Route = (app, { data }) => {
  app.post(
    '/api/v1/trash/:entryId/restore',
    {
      schema: {
        tags: ['trash'],
        summary: 'Bring an entry back, with what was deleted with it',
        params: entryParamsSchema,
        body: restoreRequestSchema.nullish(),
        response: { 200: entryResponseSchema },
      },
    },
    async (request) => {
      const { entryId } = request.params;
      const { entry, path } = await data.trash.restore(principalOf(request), entryId, request.body?.path);
      return { entry: toFileObject(entry, path) };
    },
  );
};
