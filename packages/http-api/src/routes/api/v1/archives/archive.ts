import { Readable } from 'node:stream';
import { archiveQuerySchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import { binarySchema } from '../../../../foundation/binary-schema.ts';
import type { Route } from '../../../../foundation/route-context.ts';
import { attachment } from '../../../../streaming/content-disposition.ts';

const ZIP = 'application/zip';

/** GET /api/v1/archives?ids= */
export const archiveRoute: Route = (app, { data }) => {
  app.get(
    '/api/v1/archives',
    {
      schema: {
        tags: ['files'],
        summary: 'Download files and folders as one zip, of any size',
        querystring: archiveQuerySchema,
        response: { 200: { description: 'The zip', content: { [ZIP]: { schema: binarySchema } } } },
      },
    },
    async (request, reply) => {
      const { ids, name } = request.query;
      const archive = await data.archives.open(principalOf(request), ids, name);
      reply
        .type(ZIP)
        .header('content-disposition', attachment(archive.fileName))
        .header('content-security-policy', "sandbox; default-src 'none'")
        .header('cache-control', 'private, no-store');
      // An error on the way breaks the connection: nobody may take a part for the whole.
      return reply.send(Readable.from(archive.bytes, { objectMode: false }) as never);
    },
  );
};
