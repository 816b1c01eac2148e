import { createFolderRequestSchema, entryResponseSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';
import { toFileObject } from '../../../../streaming/file-object.ts';

/** POST /api/v1/folders */
export const createFolderRoute: Route = (app, { data }) => {
  app.post(
    '/api/v1/folders',
    {
      schema: {
        tags: ['files'],
        summary: 'Make a folder',
        body: createFolderRequestSchema,
        response: { 201: entryResponseSchema },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { path: asked, parents = false } = request.body;
      const folder = await data.files.createFolder(principal, asked, { parents });
      const { path } = await data.files.get(principal, folder.entryId);
      return reply.status(201).send({ entry: toFileObject(folder, path) });
    },
  );
};
