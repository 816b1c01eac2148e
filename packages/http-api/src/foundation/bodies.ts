import type { Readable } from 'node:stream';
import { CairnError } from '@cairn/model';
import { MEDIA_TYPES } from '@cairn/protocol';
import type { FastifyRequest } from 'fastify';
import { isSmallPack } from './pack-buffers.ts';
import type { App, RouteContext } from './route-context.ts';

const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;
const MAX_JSON_DEPTH = 64;

/** Whether every text in a JSON value, names included, is valid Unicode. */
function isWellFormed(value: unknown, depth = 0): boolean {
  if (depth > MAX_JSON_DEPTH) return false;
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, item]) => name.isWellFormed() && isWellFormed(item, depth + 1));
}

function wrongType(): Error {
  return Object.assign(new Error('unsupported media type'), { statusCode: 415 });
}

/** JSON only: in UTF-8, without lone surrogates, without names that reach prototypes. */
export function parseJsonBodies(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  const decoder = new TextDecoder('utf-8', { fatal: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(MEDIA_TYPES.json, { parseAs: 'buffer' }, (request, body, done) => {
    if (body.length === 0) {
      done(null, undefined);
      return;
    }
    let text: string;
    try {
      text = decoder.decode(body as Buffer);
    } catch (error) {
      done(
        new CairnError('bad-request', 'the body is not valid UTF-8; send JSON in UTF-8', { cause: error }),
      );
      return;
    }
    parse(request, text, (error, value) => {
      if (error === null && SURROGATE_ESCAPE.test(text) && !isWellFormed(value)) {
        done(new CairnError('bad-request', 'the body has text that is not valid Unicode'));
      } else done(error, value);
    });
  });
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else done(wrongType());
  });
}

/** As the request states it, `null` when it does not. */
function statedLength(request: FastifyRequest): number | null {
  const stated = request.headers['content-length'];
  return stated === undefined ? null : Number(stated);
}

/** Packs, whole in memory as a `PackBody`, so only so many at once. For routes registered in the same scope. */
export function parsePackBodies(app: App, context: RouteContext): void {
  app.removeAllContentTypeParsers();
  app.addHook('preParsing', async (request, reply) => {
    const gate = isSmallPack(statedLength(request)) ? context.smallPackGate : context.packGate;
    const leave = await gate.enter(request.principal?.userId ?? '');
    // Also comes when the client is gone before it got an answer.
    if (reply.raw.destroyed) leave();
    else reply.raw.once('close', leave);
  });
  app.addContentTypeParser(MEDIA_TYPES.pack, async (request: FastifyRequest, payload: Readable) =>
    context.packBuffers.collect(payload, statedLength(request)),
  );
}

/** Any content type, as a stream. For routes registered in the same scope. */
export function passBodiesOn(app: App): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
}

/** The body of a route of {@link passBodiesOn}; empty when there is none. */
export async function* streamedBody(request: FastifyRequest): AsyncGenerator<Uint8Array> {
  if (request.body === undefined || request.body === null) return;
  for await (const piece of request.body as AsyncIterable<Buffer>) yield piece;
}

/** A body that is held in memory has to arrive in bounded time. */
export function limitBodyTime(app: App, context: RouteContext): void {
  const { timers } = context.environment;
  const { anonymousBodyTimeoutMs, bodyTimeoutMs } = context.config.limits;
  app.addHook('preParsing', async (request, reply) => {
    if (request.raw.complete || request.routeOptions.config.streamsBody === true) return;
    const timeoutMs = request.principal === null ? anonymousBodyTimeoutMs : bodyTimeoutMs;
    const cancel = timers.schedule(timeoutMs, () => {
      if (!request.raw.complete) request.raw.destroy();
    });
    request.raw.once('end', cancel);
    reply.raw.once('close', cancel);
  });
}
