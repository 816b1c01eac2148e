import { parseField, parseStatusLine } from './head-lines.ts';
import { MalformedResponse } from './malformed-response.ts';

/** Bounds of what a server may say around a body; all of it comes from outside. */
export const RESPONSE_LIMITS = {
  /** Status line and fields of one head; what comes behind a chunked body, too. */
  headBytes: 16 * 1024,
  fields: 100,
  /** Heads of 1xx before the one that counts. */
  interimHeads: 8,
  /** Of one chunk, which may come in any number of pieces. */
  chunkBytes: 256 * 1024 * 1024,
  /** The line in front of a chunk, extensions included. */
  chunkLineBytes: 256,
} as const;

export interface ResponseHead {
  readonly status: number;
  /** Lower-case names; what comes several times is joined by commas. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export type ParsedPart =
  /** All that was given is read. */
  | { readonly kind: 'more' }
  | { readonly kind: 'head'; readonly head: ResponseHead }
  /** A view of the bytes that were given. */
  | { readonly kind: 'body'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' };

const CR = 0x0d;
const LF = 0x0a;
const MORE: ParsedPart = { kind: 'more' };
const END: ParsedPart = { kind: 'end' };

type State = 'head' | 'fixed' | 'chunk-line' | 'chunk' | 'chunk-end' | 'trailers' | 'until-close' | 'end';

/**
 * Reads one answer of HTTP/1.1 (RFC 9112) from bytes as they come, without keeping any of the body. It is strict: lines
 * end with CRLF, one way to tell the body's length, no folded fields. What is given must stay as it is until `next` says
 * `more`.
 */
export class ResponseParser {
  readonly #bodiless: boolean;
  #state: State = 'head';
  #given = new Uint8Array(0);
  #position = 0;
  /** The part of a line that came with bytes before these. */
  #line = '';
  #headBytes = 0;
  #interim = 0;
  #status = 0;
  #keepsAlive = false;
  #hasStatusLine = false;
  #fields = 0;
  #headers: Record<string, string | undefined> = {};
  /** Of the body, or of the chunk. */
  #left = 0;

  /** @param options.bodiless the request was one whose answer has no body: HEAD */
  constructor(options: { readonly bodiless?: boolean } = {}) {
    this.#bodiless = options.bodiless === true;
  }

  /** Whether the connection may carry another request once this answer has ended. */
  get keepsAlive(): boolean {
    return this.#keepsAlive && this.#state === 'end' && this.#position === this.#given.length;
  }

  /** The next bytes; not before `next` said `more`. */
  give(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#position < this.#given.length) throw new Error('what was given before is not read yet');
    this.#given = bytes;
    this.#position = 0;
  }

  /**
   * The connection has ended. Returns whether the answer has, too.
   * @throws MalformedResponse never: a cut is for the caller to tell
   */
  ended(): boolean {
    if (this.#state === 'until-close') this.#state = 'end';
    return this.#state === 'end';
  }

  /** @throws MalformedResponse */
  next(): ParsedPart {
    for (;;) {
      switch (this.#state) {
        case 'head': {
          const line = this.#takeLine(RESPONSE_LIMITS.headBytes - this.#headBytes, 'its head is too long');
          if (line === null) return MORE;
          this.#headBytes += line.length + 2;
          const head = this.#readHeadLine(line);
          if (head !== null) return { kind: 'head', head };
          break;
        }
        case 'fixed':
        case 'chunk':
        case 'until-close': {
          if (this.#position >= this.#given.length) return MORE;
          return { kind: 'body', bytes: this.#takeBody() };
        }
        case 'chunk-line': {
          const line = this.#takeLine(RESPONSE_LIMITS.chunkLineBytes, 'the line before a chunk is too long');
          if (line === null) return MORE;
          this.#left = parseChunkSize(line);
          this.#state = this.#left === 0 ? 'trailers' : 'chunk';
          this.#headBytes = 0;
          break;
        }
        case 'chunk-end': {
          const line = this.#takeLine(2, 'a chunk is longer than it said');
          if (line === null) return MORE;
          if (line !== '') throw new MalformedResponse('a chunk is longer than it said');
          this.#state = 'chunk-line';
          break;
        }
        case 'trailers': {
          const line = this.#takeLine(RESPONSE_LIMITS.headBytes - this.#headBytes, 'its end is too long');
          if (line === null) return MORE;
          this.#headBytes += line.length + 2;
          if (line === '') this.#state = 'end';
          else this.#checkField(line);
          break;
        }
        case 'end':
          return END;
      }
    }
  }

  #takeBody(): Uint8Array {
    const from = this.#position;
    const there = this.#given.length - from;
    if (this.#state === 'until-close') {
      this.#position += there;
      return this.#given.subarray(from);
    }
    const count = Math.min(there, this.#left);
    this.#position += count;
    this.#left -= count;
    if (this.#left === 0) this.#state = this.#state === 'chunk' ? 'chunk-end' : 'end';
    return this.#given.subarray(from, from + count);
  }

  /** The line without its end, or `null` while that has not come. */
  #takeLine(maxBytes: number, tooLong: string): string | null {
    const given = this.#given;
    const from = this.#position;
    const found = given.indexOf(LF, from);
    const to = found < 0 ? given.length : found + 1;
    if (this.#line.length + to - from > maxBytes) throw new MalformedResponse(tooLong);
    this.#position = to;
    const text = this.#line + latin1(given, from, to);
    if (found < 0) {
      this.#line = text;
      return null;
    }
    this.#line = '';
    if (text.charCodeAt(text.length - 2) !== CR) throw new MalformedResponse('a line ends without CR');
    return text.slice(0, -2);
  }

  /** The head once it is whole. */
  #readHeadLine(line: string): ResponseHead | null {
    if (!this.#hasStatusLine) {
      const { status, isLatest } = parseStatusLine(line);
      this.#status = status;
      this.#keepsAlive = isLatest;
      this.#hasStatusLine = true;
      return null;
    }
    if (line !== '') {
      const { name, value } = this.#checkField(line);
      const before = this.#headers[name];
      if (before !== undefined && (name === 'content-length' || name === 'transfer-encoding'))
        throw new MalformedResponse(`${name} comes twice`);
      this.#headers[name] = before === undefined ? value : `${before}, ${value}`;
      return null;
    }
    const head = { status: this.#status, headers: this.#headers };
    if (head.status === 101) throw new MalformedResponse('it changes the protocol, which nobody asked for');
    if (head.status >= 200) {
      this.#beginBody(head);
      return head;
    }
    if (++this.#interim > RESPONSE_LIMITS.interimHeads)
      throw new MalformedResponse('it never comes to an end');
    this.#hasStatusLine = false;
    this.#headers = {};
    this.#headBytes = this.#fields = 0;
    return null;
  }

  #checkField(line: string): { readonly name: string; readonly value: string } {
    if (++this.#fields > RESPONSE_LIMITS.fields) throw new MalformedResponse('it has too many fields');
    return parseField(line);
  }

  #beginBody({ status, headers }: ResponseHead): void {
    const encoding = headers['transfer-encoding'];
    const length = headers['content-length'];
    if (tokensOf(headers['connection']).includes('close')) this.#keepsAlive = false;
    if (encoding !== undefined && length !== undefined)
      throw new MalformedResponse('it tells its length in two ways');
    if (length !== undefined && !/^[0-9]{1,15}$/.test(length))
      throw new MalformedResponse('its length is no number');
    if (encoding !== undefined && encoding.toLowerCase() !== 'chunked')
      throw new MalformedResponse('it has an unknown transfer encoding');
    // `keepsAlive` was set by the version: chunks came with HTTP/1.1.
    if (this.#bodiless || status === 204 || status === 304) this.#state = 'end';
    else if (encoding !== undefined) this.#state = 'chunk-line';
    else if (length === undefined) {
      this.#keepsAlive = false;
      this.#state = 'until-close';
    } else {
      this.#left = Number(length);
      this.#state = this.#left === 0 ? 'end' : 'fixed';
    }
  }
}

function tokensOf(value: string | undefined): string[] {
  return (value ?? '').split(',').map((token) => token.trim().toLowerCase());
}

/** Lines are short, but for the rare long field; what is not ASCII is refused by those who parse them, or latin1. */
function latin1(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let position = from; position < to; position++) text += String.fromCharCode(bytes[position] as number);
  return text;
}

/** The size in hexadecimal, and what may follow it, which means nothing to us. */
function parseChunkSize(line: string): number {
  const match = /^([0-9A-Fa-f]{1,8})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/.exec(line);
  if (match === null) throw new MalformedResponse('a chunk has no size');
  const size = Number.parseInt(match[1] as string, 16);
  if (size > RESPONSE_LIMITS.chunkBytes) throw new MalformedResponse('a chunk is too large');
  return size;
}
