import { uploadParamsSchema, uploadResponseSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

/** GET /api/v1/uploads/{uploadId} */
export const uploadRoute: Route = (app, { data }) => {
  app.get(
    '/api/v1/uploads/:uploadId',
    {
      schema: {
        tags: ['uploads'],
        summary: 'Which parts are missing',
        params: uploadParamsSchema,
        response: { 200: uploadResponseSchema },
      },
    },
    async (request) => {
      const upload = await data.uploads.get(principalOf(request), request.params.uploadId);
      return { ...upload, missingParts: [...upload.missingParts] };
    },
  );
};
