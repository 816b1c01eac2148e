import { problemSchema } from '@cairn/protocol';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { createJsonSchemaTransform } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { App, RouteContext } from './route-context.ts';

const DESCRIPTION = `Sign in with \`POST /api/v1/auth/login\` and send the access token as \`Authorization: Bearer …\`.
Errors are problem details (RFC 9457) with a stable \`code\`. Files:

    curl -H "$AUTH" -T report.pdf "$SERVER/api/v1/files/content?path=/report.pdf"
    curl -H "$AUTH" "$SERVER/api/v1/files?path=/"
    curl -H "$AUTH" -OJ "$SERVER/api/v1/files/$ID/content"`;

/** Everything comes from this server, so that the page works under a policy that allows nothing else. */
const DOCS_POLICY =
  "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'; font-src 'self'; img-src 'self' data:; script-src 'self'; style-src 'self' 'unsafe-inline'";

/** OpenAPI 3.1 from the schemas that validate requests, and a page to read it. */
export async function documentRoutes(app: App, context: RouteContext): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Cairn', version: context.config.version, description: DESCRIPTION },
      components: {
        securitySchemes: { accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
        schemas: { Problem: z.toJSONSchema(problemSchema) as never },
      },
      security: [{ accessToken: [] }],
    },
    transform: createJsonSchemaTransform({ zodToJsonConfig: { unrepresentable: 'any' } }),
    transformObject: (document) => {
      if (!('openapiObject' in document)) throw new Error('the document is not OpenAPI');
      const { openapiObject } = document;
      const paths: Record<string, unknown> = openapiObject.paths ?? {};
      const problem = {
        description: 'Problem details (RFC 9457)',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      };
      for (const operations of Object.values(paths)) {
        for (const operation of Object.values(
          operations as Record<string, { responses?: Record<string, unknown> }>,
        )) {
          operation.responses = { ...operation.responses, default: problem };
        }
      }
      // The plugin for WebSockets hides its routes.
      paths['/api/v1/sync/events'] = {
        get: {
          summary: 'Hints over a WebSocket: {type:"hint",spaceId,sequence}, {type:"revoked"}',
          tags: ['sync'],
          responses: { 101: { description: 'Switching to WebSocket' }, default: problem },
        },
      };
      return { ...openapiObject, paths } as typeof openapiObject;
    },
  });
  await app.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'anonymous' };
    });
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: DOCS_POLICY,
      uiConfig: { url: '/api/v1/openapi.json', validatorUrl: null, deepLinking: false } as never,
    });
  });
}
