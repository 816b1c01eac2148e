import { CairnError, isCairnError } from '@cairn/model';
import { refreshRequestSchema, signedInByCookieSchema, signedInSchema } from '@cairn/protocol';
import { z } from 'zod';
import { requireOwnPage } from '../../../../foundation/own-page.ts';
import type { Route } from '../../../../foundation/route-context.ts';
import {
  clearSessionCookies,
  putTokensInCookies,
  refreshCookie,
} from '../../../../foundation/session-cookies.ts';

/** POST /api/v1/auth/refresh */
export const refreshRoute: Route = (app, { access }) => {
  app.post(
    '/api/v1/auth/refresh',
    {
      config: { access: 'sign-in' },
      schema: {
        tags: ['account'],
        summary: 'Change a refresh token (of the body, or of the cookie) for new tokens',
        security: [],
        body: refreshRequestSchema.nullish(),
        response: { 200: z.union([signedInSchema, signedInByCookieSchema]) },
      },
    },
    async (request, reply) => {
      const { refreshToken } = request.body ?? {};
      if (refreshToken !== undefined) return access.sessions.refresh(refreshToken);
      const cookie = refreshCookie(request);
      if (cookie === undefined) {
        throw new CairnError('not-signed-in', 'there is no refresh token; sign in again');
      }
      requireOwnPage(request);
      try {
        return putTokensInCookies(request, reply, await access.sessions.refresh(cookie));
      } catch (error) {
        if (isCairnError(error, 'session-revoked')) clearSessionCookies(request, reply);
        throw error;
      }
    },
  );
};
