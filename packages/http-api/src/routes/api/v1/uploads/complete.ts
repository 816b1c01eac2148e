import { completeUploadRequestSchema, entryResponseSchema, uploadParamsSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';
import { toFileObject } from '../../../../streaming/file-object.ts';

/** POST /api/v1/uploads/{uploadId}/complete */
export const completeUploadRoute: Route = (app, { data }) => {
  app.post(
    '/api/v1/uploads/:uploadId/complete',
    {
      schema: {
        tags: ['uploads'],
        summary: 'Make the file from its parts',
        params: uploadParamsSchema,
        body: completeUploadRequestSchema.nullish(),
        response: { 200: entryResponseSchema },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const entry = await data.uploads.complete(principal, request.params.uploadId, request.body ?? {});
      const { path } = await data.files.get(principal, entry.entryId);
      return { entry: toFileObject(entry, path) };
    },
  );
};
