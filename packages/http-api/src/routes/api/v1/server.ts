import { PRODUCT, PROTOCOL_VERSION, type ServerResponse, serverResponseSchema } from '@cairn/protocol';
import type { Route } from '../../../foundation/route-context.ts';

/** GET /api/v1/server */
export const serverRoute: Route = (app, { access, config }) => {
  app.get(
    '/api/v1/server',
    {
      config: { access: 'anonymous' },
      schema: {
        tags: ['server'],
        summary: 'What answers here',
        security: [],
        response: { 200: serverResponseSchema },
      },
    },
    async (): Promise<ServerResponse> => ({
      product: PRODUCT,
      protocolVersion: PROTOCOL_VERSION,
      version: config.version,
      ...(await access.accounts.describeSignUp()),
    }),
  );
};
