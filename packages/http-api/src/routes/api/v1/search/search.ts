import { PROTOCOL_LIMITS, searchQuerySchema, searchResponseSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';
import { toFileObject } from '../../../../streaming/file-object.ts';

/** GET /api/v1/search?q= */
export const searchRoute: Route = (app, { data }) => {
  app.get(
    '/api/v1/search',
    {
      schema: {
        tags: ['files'],
        summary:
          'Find files and folders by name; case and accents make no difference, and beginnings come first',
        querystring: searchQuerySchema,
        response: { 200: searchResponseSchema },
      },
    },
    async (request) => {
      const { q, after = null, limit = PROTOCOL_LIMITS.defaultPageEntries } = request.query;
      const { items, next } = await data.search.find(principalOf(request), q, { after, limit });
      return { items: items.map(({ entry, path }) => toFileObject(entry, path)), next };
    },
  );
};
