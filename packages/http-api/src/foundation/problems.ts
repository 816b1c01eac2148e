import { CairnError, type ErrorCode, isCairnError } from '@cairn/model';
import { ERROR_TABLE, MEDIA_TYPES, problemType } from '@cairn/protocol';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import type { App, RouteContext } from './route-context.ts';

const MAX_ISSUES = 20;
/** Issues name what was sent, such as unknown fields; an answer must not grow with the request. */
const MAX_ISSUE_CHARACTERS = 200;
const RESERVED = new Set(['type', 'title', 'status', 'code', 'detail', 'requestId']);

interface Answer {
  readonly code: ErrorCode;
  readonly status: number;
  readonly detail: string;
  readonly details: Readonly<Record<string, unknown>>;
}

function answerOf(code: ErrorCode, detail: string, details: Answer['details'] = {}, status?: number): Answer {
  return { code, status: status ?? ERROR_TABLE[code].status, detail, details };
}

const INTERNAL = answerOf(
  'internal',
  'something went wrong on the server; try again, and give the request id to its administrator if it stays',
);

/** Frameworks' errors by status: their own words may quote the request, so ours are used. */
const FRAMEWORK_ANSWERS: Readonly<Record<number, Answer>> = {
  400: answerOf('bad-request', 'the request is not well formed; check its body and its headers'),
  404: answerOf('not-found', 'there is nothing at this address; /docs lists what there is'),
  408: answerOf('bad-request', 'the request took too long to arrive; send it again', {}, 408),
  413: answerOf('too-large', 'the request body is too large; send it in smaller parts'),
  414: answerOf('bad-request', 'the address is too long', {}, 414),
  415: answerOf('bad-request', 'this content type is not understood here; /docs says which one is', {}, 415),
  429: answerOf('too-many-attempts', 'too many requests; wait a moment and try again'),
  503: answerOf('unavailable', 'the server is stopping or overloaded; try again in a few seconds', {
    retryAfterMs: 2000,
  }),
};

function shorten(text: string): string {
  return text.length <= MAX_ISSUE_CHARACTERS
    ? text
    : `${text.slice(0, MAX_ISSUE_CHARACTERS).toWellFormed()}…`;
}

function answerFor(error: FastifyError | Error): Answer {
  if (isCairnError(error)) {
    const { status, title } = ERROR_TABLE[error.code];
    if (title === INTERNAL.code || (status === 500 && error.code !== 'data-damaged')) return INTERNAL;
    return answerOf(error.code, error.message, error.details);
  }
  if (hasZodFastifySchemaValidationErrors(error)) {
    const issues = error.validation.slice(0, MAX_ISSUES).map((issue) => ({
      path: shorten(issue.instancePath),
      message: shorten(issue.message ?? 'not allowed'),
    }));
    const first = issues[0];
    const where = first === undefined || first.path === '' ? '' : ` at ${first.path}`;
    return answerOf(
      'bad-request',
      `the request does not have the form that /docs describes${where}: ${first?.message ?? ''}`,
      { issues },
    );
  }
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
  if (status >= 400 && status < 500) {
    return FRAMEWORK_ANSWERS[status] ?? { ...(FRAMEWORK_ANSWERS[400] as Answer), status };
  }
  return status === 503 ? (FRAMEWORK_ANSWERS[503] as Answer) : INTERNAL;
}

function send(request: FastifyRequest, reply: FastifyReply, answer: Answer): FastifyReply {
  const { code, status, detail, details } = answer;
  const problem: Record<string, unknown> = {
    type: problemType(code),
    title: ERROR_TABLE[code].title,
    status,
    code,
    detail,
    requestId: request.id,
  };
  for (const [name, value] of Object.entries(details)) {
    if (!RESERVED.has(name)) problem[name] = value;
  }
  const { retryAfterMs } = details;
  if (typeof retryAfterMs === 'number')
    reply.header('retry-after', Math.max(1, Math.ceil(retryAfterMs / 1000)));
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="cairn"');
  // Nothing of the answer that was being prepared may stay on it.
  for (const name of ['content-length', 'content-disposition', 'etag', 'accept-ranges', 'content-encoding']) {
    reply.removeHeader(name);
  }
  reply.header('cache-control', 'no-store');
  return reply
    .status(status)
    .type(MEDIA_TYPES.problem)
    .serializer((value: unknown) => JSON.stringify(value))
    .send(problem);
}

/** Every error leaves as problem details (RFC 9457), and is in the log under its request id. */
export function answerWithProblems(app: App, context: RouteContext): void {
  const { log } = context.environment;

  app.setErrorHandler((error: FastifyError, request, reply) => {
    const gone = request.raw.destroyed && !request.raw.complete;
    const answer = answerFor(error);
    const fields = { requestId: request.id, route: request.routeOptions.url ?? null, code: answer.code };
    if (gone) log.info('http.client-gone', fields);
    else if (answer.status >= 500) log.error('http.failed', { ...fields, error: describeError(error) });
    else log.debug('http.refused', { ...fields, status: answer.status });
    if (leavesMuchUnread(request)) reply.header('connection', 'close');
    return send(request, reply, answer);
  });

  app.setNotFoundHandler((request, reply) => send(request, reply, FRAMEWORK_ANSWERS[404] as Answer));
}

const DRAIN_AT_MOST_BYTES = 16 * 1024 * 1024;

/** Reading the rest of a refused upload to keep its connection is worth it only when the rest is short. */
function leavesMuchUnread(request: FastifyRequest): boolean {
  if (request.raw.complete) return false;
  const length = request.headers['content-length'];
  return length === undefined
    ? request.headers['transfer-encoding'] !== undefined
    : Number(length) > DRAIN_AT_MOST_BYTES;
}

/** For the log: name, message and stack, and the same of the causes. */
function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    ...(error instanceof CairnError ? { code: error.code } : {}),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}
