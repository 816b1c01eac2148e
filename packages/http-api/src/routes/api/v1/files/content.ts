import { Readable } from 'node:stream';
import { isCairnError } from '@cairn/model';
import { contentQuerySchema, entryParamsSchema, MEDIA_TYPES } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import { binarySchema } from '../../../../foundation/binary-schema.ts';
import type { Route } from '../../../../foundation/route-context.ts';
import { type ByteRange, matchesTag, parseRange } from '../../../../streaming/byte-range.ts';
import { attachment, inlineDisposition } from '../../../../streaming/content-disposition.ts';
import { inlineType } from '../../../../streaming/inline-types.ts';

/**
 * GET and HEAD /api/v1/files/{entryId}/content : what is stored is handed out to be saved. Asked for `inline`, what can do no harm
 * is shown, under a policy of its own that lets nothing run.
 */
export const contentRoute: Route = (app, { data }) => {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/api/v1/files/:entryId/content',
    schema: {
      tags: ['files'],
      summary: 'Download a file or one of its versions, whole or one range',
      params: entryParamsSchema,
      querystring: contentQuerySchema,
      response: {
        200: { description: 'The file', content: { [MEDIA_TYPES.bytes]: { schema: binarySchema } } },
        206: { description: 'The range', content: { [MEDIA_TYPES.bytes]: { schema: binarySchema } } },
        304: { description: 'Not changed', content: { [MEDIA_TYPES.bytes]: { schema: binarySchema } } },
      },
    },
    handler: async (request, reply) => {
      const { versionId, inline } = request.query;
      const opened = await data.files.openFile(
        principalOf(request),
        request.params.entryId,
        versionId === undefined ? {} : { versionId },
      );
      const { entry, version, sizeBytes } = opened;
      const tag = `"${version.content?.contentId ?? version.versionId}"`;
      reply
        .header('etag', tag)
        .header('cache-control', 'private, no-cache')
        .header('last-modified', new Date(version.committedAt).toUTCString())
        .header('accept-ranges', 'bytes');
      const { 'if-none-match': noneMatch, 'if-range': ifRange, range: rangeHeader } = request.headers;
      if (noneMatch !== undefined && matchesTag(noneMatch, tag)) return reply.status(304).send();

      let range: ByteRange | null;
      try {
        range = ifRange === undefined || ifRange === tag ? parseRange(rangeHeader, sizeBytes) : null;
      } catch (error) {
        if (isCairnError(error, 'range-wrong')) reply.header('content-range', `bytes */${sizeBytes}`);
        throw error;
      }
      const { start, end } = range ?? { start: 0, end: sizeBytes };
      const shown = inline ? inlineType(entry.name) : null;
      reply
        .type(shown?.mediaType ?? MEDIA_TYPES.bytes)
        .header(
          'content-disposition',
          shown === null ? attachment(entry.name) : inlineDisposition(entry.name),
        )
        .header('content-security-policy', shown?.policy ?? "sandbox; default-src 'none'")
        .header('x-content-type-options', 'nosniff')
        .header('content-length', end - start);
      if (shown !== null) reply.header('x-frame-options', 'SAMEORIGIN');
      if (range !== null) reply.status(206).header('content-range', `bytes ${start}-${end - 1}/${sizeBytes}`);
      if (request.method === 'HEAD') return reply.send();
      const pieces = end > start ? opened.read({ start, end }) : [];
      return reply.send(Readable.from(pieces, { objectMode: false }) as never);
    },
  });
};
