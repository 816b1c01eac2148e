import { CairnError } from '@cairn/model';
import { MEDIA_TYPES, PROTOCOL_LIMITS, uploadPartParamsSchema } from '@cairn/protocol';
import { z } from 'zod';
import { principalOf } from '../../../../foundation/authentication.ts';
import { binarySchema } from '../../../../foundation/binary-schema.ts';
import { passBodiesOn, streamedBody } from '../../../../foundation/bodies.ts';
import type { App, Route } from '../../../../foundation/route-context.ts';

/** PUT /api/v1/uploads/{uploadId}/parts/{partNumber} */
export const uploadPartRoute: Route = (app, { data }) => {
  app.register(async (scope: App) => {
    passBodiesOn(scope);
    scope.put(
      '/api/v1/uploads/:uploadId/parts/:partNumber',
      {
        config: { streamsBody: true },
        schema: {
          tags: ['uploads'],
          summary: 'Store one part; repeating it replaces it',
          consumes: [MEDIA_TYPES.bytes],
          params: uploadPartParamsSchema,
          body: binarySchema,
          response: { 204: z.undefined() },
        },
      },
      async (request, reply) => {
        const { uploadId, partNumber } = request.params;
        if (Number(request.headers['content-length'] ?? 0) > PROTOCOL_LIMITS.maxUploadPartBytes) {
          throw new CairnError(
            'too-large',
            'the part is too large; send parts of the length that was agreed',
          );
        }
        await data.uploads.putPart(principalOf(request), uploadId, partNumber, streamedBody(request));
        return reply.status(204).send();
      },
    );
  });
};
