import { CairnError, isContentId } from '@cairn/model';
import { entryResponseSchema, MEDIA_TYPES, putFileQuerySchema } from '@cairn/protocol';
import type { PutFileOptions } from '@cairn/services';
import type { FastifyRequest } from 'fastify';
import { principalOf } from '../../../../foundation/authentication.ts';
import { binarySchema } from '../../../../foundation/binary-schema.ts';
import { passBodiesOn, streamedBody } from '../../../../foundation/bodies.ts';
import type { App, Route } from '../../../../foundation/route-context.ts';
import { toFileObject } from '../../../../streaming/file-object.ts';

/** `If-Match: "tag"` names the content to replace; `If-None-Match: *` means that there must be none. */
function conditionOf(request: FastifyRequest): Pick<PutFileOptions, 'ifMatch'> {
  const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
  if (match === undefined && noneMatch === undefined) return {};
  if (match === undefined && noneMatch?.trim() === '*') return { ifMatch: null };
  const tag = /^"([^"]+)"$/.exec(match?.trim() ?? '')?.[1];
  if (noneMatch === undefined && tag !== undefined && isContentId(tag)) {
    return { ifMatch: tag };
  }
  throw new CairnError('bad-request', 'send either one ETag in If-Match, or "If-None-Match: *"');
}

/** PUT /api/v1/files/content?path= : a whole file in one request, as `curl -T` sends it. */
export const putContentRoute: Route = (app, { data }) => {
  app.register(async (scope: App) => {
    passBodiesOn(scope);
    scope.put(
      '/api/v1/files/content',
      {
        config: { streamsBody: true },
        schema: {
          tags: ['files'],
          summary: 'Save a file; missing folders on the way are made',
          consumes: [MEDIA_TYPES.bytes],
          querystring: putFileQuerySchema,
          body: binarySchema,
          response: { 200: entryResponseSchema },
        },
      },
      async (request, reply) => {
        const principal = principalOf(request);
        const { path, executable, modifiedAtUs } = request.query;
        const length = request.headers['content-length'];
        const entry = await data.files.putFile(principal, path, streamedBody(request), {
          ...conditionOf(request),
          ...(executable === undefined ? {} : { executable }),
          ...(modifiedAtUs === undefined ? {} : { modifiedAtUs }),
          ...(length === undefined ? {} : { sizeBytes: Number(length) }),
        });
        const saved = await data.files.get(principal, entry.entryId);
        return reply
          .header('etag', `"${entry.content.contentId}"`)
          .send({ entry: toFileObject(entry, saved.path) });
      },
    );
  });
};
