import { createHash } from 'node:crypto';
import helmet from '@fastify/helmet';
import { PAGE_STYLE } from '../page/page-style.ts';
import type { App } from './route-context.ts';

/** Nothing may be loaded, framed or submitted, but for the one style sheet of our own page, named by its hash. */
export async function addSecurityHeaders(app: App): Promise<void> {
  const styleHash = createHash('sha256').update(PAGE_STYLE).digest('base64');
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: [`'sha256-${styleHash}'`],
        imgSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
  });
}
