import { deviceParamsSchema } from '@cairn/protocol';
import { z } from 'zod';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

/** DELETE /api/v1/devices/{deviceId} */
export const revokeDeviceRoute: Route = (app, { access }) => {
  app.delete(
    '/api/v1/devices/:deviceId',
    {
      schema: {
        tags: ['account'],
        summary: 'Sign a device out at once',
        params: deviceParamsSchema,
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      await access.devices.revoke(principalOf(request), request.params.deviceId);
      return reply.status(204).send();
    },
  );
};
