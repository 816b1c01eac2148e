import { filesQuerySchema, filesResponseSchema, PROTOCOL_LIMITS } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';
import { childPath, toFileObject } from '../../../../streaming/file-object.ts';

/** GET /api/v1/files?path= */
export const listFilesRoute: Route = (app, { data }) => {
  app.get(
    '/api/v1/files',
    {
      schema: {
        tags: ['files'],
        summary: 'An entry by its path; for a folder also a page of what is in it',
        querystring: filesQuerySchema,
        response: { 200: filesResponseSchema },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const { path: asked, after, limit } = request.query;
      const { entry, path } = await data.files.getByPath(principal, null, asked);
      if (entry.kind !== 'folder') return { entry: toFileObject(entry, path) };
      const page = await data.files.listFolder(principal, entry.entryId, {
        after: after ?? null,
        limit: limit ?? PROTOCOL_LIMITS.defaultPageEntries,
      });
      return {
        entry: toFileObject(entry, path),
        children: page.entries.map((child) => toFileObject(child, childPath(path, child.name))),
        next: page.next,
      };
    },
  );
};
