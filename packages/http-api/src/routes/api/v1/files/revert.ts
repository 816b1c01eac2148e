import { entryParamsSchema, entryResponseSchema, revertRequestSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';
import { toFileObject } from '../../../../streaming/file-object.ts';

/** POST /api/v1/files/{entryId}/revert */
export const revertRoute: Route = (app, { data }) => {
  app.post(
    '/api/v1/files/:entryId/revert',
    {
      schema: {
        tags: ['files'],
        summary: 'Save an old version’s content as the newest version',
        params: entryParamsSchema,
        body: revertRequestSchema,
        response: { 200: entryResponseSchema },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const reverted = await data.files.revert(principal, request.params.entryId, request.body.versionId);
      const { path } = await data.files.get(principal, reverted.entryId);
      return { entry: toFileObject(reverted, path) };
    },
  );
};
