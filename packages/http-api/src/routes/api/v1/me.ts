import type { Epoch } from '@cairn/model';
import { meResponseSchema, PROTOCOL_VERSION } from '@cairn/protocol';
import { principalOf } from '../../../foundation/authentication.ts';
import type { Route } from '../../../foundation/route-context.ts';

/** GET /api/v1/me */
export const meRoute: Route = (app, { access, config }) => {
  app.get(
    '/api/v1/me',
    {
      schema: {
        tags: ['account'],
        summary: 'Who you are and what you have',
        response: { 200: meResponseSchema },
      },
    },
    async (request) => {
      const { epoch, ...account } = await access.accounts.describe(principalOf(request));
      return {
        ...account,
        server: { epoch: epoch as Epoch, version: config.version, protocol: PROTOCOL_VERSION },
      };
    },
  );
};
