import { entryParamsSchema, thumbnailQuerySchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import { binarySchema } from '../../../../foundation/binary-schema.ts';
import type { Route } from '../../../../foundation/route-context.ts';
import { matchesTag } from '../../../../streaming/byte-range.ts';

const WEBP = 'image/webp';

/** GET /api/v1/files/{entryId}/thumbnail */
export const thumbnailRoute: Route = (app, { data }) => {
  app.get(
    '/api/v1/files/:entryId/thumbnail',
    {
      schema: {
        tags: ['files'],
        summary: 'A small form of a picture, as WebP; `no-preview` for what is none',
        params: entryParamsSchema,
        querystring: thumbnailQuerySchema,
        response: {
          200: { description: 'The picture', content: { [WEBP]: { schema: binarySchema } } },
          304: { description: 'Not changed', content: { [WEBP]: { schema: binarySchema } } },
        },
      },
    },
    async (request, reply) => {
      const { versionId, size } = request.query;
      const thumbnail = await data.previews.thumbnail(principalOf(request), request.params.entryId, {
        size,
        ...(versionId === undefined ? {} : { versionId }),
      });
      const tag = `"${thumbnail.versionId}-${size}"`;
      const { 'if-none-match': noneMatch } = request.headers;
      const known = noneMatch !== undefined && matchesTag(noneMatch, tag);
      const picture = known ? null : await thumbnail.render();
      reply
        .header('etag', tag)
        // A named version's picture never changes; the newest version's is asked for again.
        .header(
          'cache-control',
          versionId === undefined ? 'private, no-cache' : 'private, max-age=31536000, immutable',
        )
        .header('content-security-policy', "sandbox; default-src 'none'");
      if (picture === null) return reply.status(304).send();
      return reply.type(WEBP).send(Buffer.from(picture.buffer, picture.byteOffset, picture.length) as never);
    },
  );
};
