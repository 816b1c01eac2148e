import { createUploadRequestSchema, uploadResponseSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

/** POST /api/v1/uploads */
export const createUploadRoute: Route = (app, { data }) => {
  app.post(
    '/api/v1/uploads',
    {
      schema: {
        tags: ['uploads'],
        summary: 'Begin an upload in parts that can be resumed',
        body: createUploadRequestSchema,
        response: { 201: uploadResponseSchema },
      },
    },
    async (request, reply) => {
      const upload = await data.uploads.create(principalOf(request), request.body);
      return reply.status(201).send({ ...upload, missingParts: [...upload.missingParts] });
    },
  );
};
