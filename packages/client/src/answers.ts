import { CairnError, ERROR_CODES, type ErrorCode } from '@cairn/model';
import type { TransportResponse } from './transport.ts';

/** No JSON answer of ours is larger; a page of a listing is bounded by the server. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;
const MAX_PROBLEM_BYTES = 8 * 1024 * 1024;

/** What validates an answer: a zod schema of the protocol, or anything with its `safeParse`. */
export interface AnswerSchema<Answer> {
  safeParse(value: unknown): { success: true; data: Answer } | { success: false; error: unknown };
}

/**
 * Reads and validates the JSON of a successful answer. Whatever is not exactly that (a login page of a hotel, a
 * router, another product) is `not-a-cairn-server`, never an empty result.
 */
export async function readAnswer<Answer>(
  serverUrl: string,
  response: TransportResponse,
  schema: AnswerSchema<Answer>,
): Promise<Answer> {
  const type = response.headers['content-type'] ?? '';
  if (!/^application\/json\b/i.test(type)) {
    response.discard();
    throw notCairn(serverUrl, `it answered ${type === '' ? 'without a content type' : `with ${type}`}`);
  }
  const text = await readText(serverUrl, response, MAX_JSON_BYTES);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw notCairn(serverUrl, 'its answer is not JSON', error);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw notCairn(serverUrl, 'its answer has an unknown form', parsed.error);
  return parsed.data;
}

/** The error that an answer with a status other than 2xx stands for. Consumes the body. */
export async function readProblem(serverUrl: string, response: TransportResponse): Promise<CairnError> {
  const { status, headers } = response;
  const type = headers['content-type'] ?? '';
  const retryAfterMs = parseRetryAfter(headers['retry-after']);
  if (/^application\/(problem\+)?json\b/i.test(type)) {
    const problem = parseProblem(await readText(serverUrl, response, MAX_PROBLEM_BYTES));
    if (problem !== null) {
      return new CairnError(problem.code, problem.detail, {
        details: { ...problem.details, status, ...(retryAfterMs === null ? {} : { retryAfterMs }) },
      });
    }
  } else {
    response.discard();
  }
  const details = { status, ...(retryAfterMs === null ? {} : { retryAfterMs }) };
  if (status === 429 || status >= 500) {
    const code: ErrorCode = status === 507 ? 'storage-full' : 'unavailable';
    return new CairnError(
      code,
      `${serverUrl} cannot answer just now (HTTP ${status}). Try again in a while; if it stays so, look at the server's log`,
      { details },
    );
  }
  if (status === 408) {
    return new CairnError('server-unreachable', `${serverUrl} waited too long for the request. Try again`, {
      details,
    });
  }
  if (status === 413) {
    return new CairnError(
      'too-large',
      `something before ${serverUrl} refuses large requests (HTTP 413). Raise the body limit of the proxy to 20 MiB`,
      { details },
    );
  }
  const location = headers['location'];
  const hint =
    location === undefined ? `HTTP ${status}` : `HTTP ${status}, redirecting to ${JSON.stringify(location)}`;
  return notCairn(serverUrl, `it answered ${hint}`);
}

/** `not-a-cairn-server` with what was odd. */
export function notCairn(serverUrl: string, oddity: string, cause?: unknown): CairnError {
  return new CairnError(
    'not-a-cairn-server',
    `what answers at ${serverUrl} is not a Cairn server (${oddity}). Check the address; on a guest network, sign in to the network first`,
    { ...(cause === undefined ? {} : { cause }), details: { serverUrl } },
  );
}

interface Problem {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly details: Readonly<Record<string, unknown>>;
}

function parseProblem(text: string): Problem | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not a problem of ours; the caller falls back to the status.
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { type: _type, title, status: _status, code, detail, ...details } = value as Record<string, unknown>;
  if (typeof code !== 'string' || !Object.hasOwn(ERROR_CODES, code)) return null;
  const words =
    typeof detail === 'string' && detail !== '' ? detail : typeof title === 'string' ? title : code;
  return { code: code as ErrorCode, detail: words, details };
}

async function readText(serverUrl: string, response: TransportResponse, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const piece of response.body) {
    size += piece.length;
    if (size > maxBytes) {
      response.discard();
      throw notCairn(serverUrl, `its answer is longer than ${maxBytes} bytes`);
    }
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

function parseRetryAfter(text: string | undefined): number | null {
  if (text === undefined || !/^[0-9]{1,6}$/.test(text.trim())) return null;
  return Number(text.trim()) * 1000;
}
