import { devicesResponseSchema } from '@cairn/protocol';
import { principalOf } from '../../../../foundation/authentication.ts';
import type { Route } from '../../../../foundation/route-context.ts';

/** GET /api/v1/devices */
export const listDevicesRoute: Route = (app, { access }) => {
  app.get(
    '/api/v1/devices',
    { schema: { tags: ['account'], summary: 'Your devices', response: { 200: devicesResponseSchema } } },
    async (request) => ({ devices: [...(await access.devices.list(principalOf(request)))] }),
  );
};
