import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MalformedResponse } from './malformed-response.ts';
import { RESPONSE_LIMITS, type ResponseHead, ResponseParser } from './response-parser.ts';

interface Outcome {
  readonly head: ResponseHead | null;
  readonly body: Buffer;
  readonly end: 'end' | 'more' | 'malformed';
  readonly keepsAlive: boolean;
}

/** Gives the bytes in pieces that end at these places, and overwrites each piece once it is read. */
function parse(bytes: Uint8Array, cuts: readonly number[] = []): Outcome {
  const parser = new ResponseParser();
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const body: Buffer[] = [];
  let head: ResponseHead | null = null;
  let from = 0;
  try {
    for (const to of [...places, bytes.length]) {
      const piece = Uint8Array.from(bytes.subarray(from, to));
      from = to;
      parser.give(piece);
      for (;;) {
        const part = parser.next();
        if (part.kind === 'more') break;
        if (part.kind === 'end')
          return {
            head,
            body: Buffer.concat(body),
            end: 'end',
            keepsAlive: parser.keepsAlive && from === bytes.length,
          };
        if (part.kind === 'head') head = part.head;
        else body.push(Buffer.from(part.bytes));
      }
      piece.fill(0x41);
    }
  } catch (error) {
    if (!(error instanceof MalformedResponse)) throw error;
    return { head, body: Buffer.concat(body), end: 'malformed', keepsAlive: false };
  }
  return {
    head,
    body: Buffer.concat(body),
    end: parser.ended() ? 'end' : 'more',
    keepsAlive: parser.keepsAlive,
  };
}

const text = (value: string) => Buffer.from(value, 'latin1');
const tokenArbitrary = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/).map((name) => `x-${name}`);
const valueArbitrary = fc.stringMatching(/^[!-~]{1,20}( [!-~]{1,5})?$/);
const cutsArbitrary = fc.array(fc.nat(100_000), { maxLength: 30 });

const responseArbitrary = fc
  .record({
    status: fc.constantFrom(200, 206, 302, 404, 500),
    fields: fc.array(fc.tuple(tokenArbitrary, valueArbitrary), { maxLength: 8 }),
    body: fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
    interim: fc.nat(2),
    chunks: fc.option(
      fc.record({
        sizes: fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 }),
        extension: fc.constantFrom('', ';a=b', ' ; x'),
        trailers: fc.array(fc.tuple(tokenArbitrary, valueArbitrary), { maxLength: 3 }),
      }),
    ),
  })
  .map(({ status, fields, body, interim, chunks }) => {
    const lines = (pairs: readonly (readonly [string, string])[]) =>
      pairs.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const parts = [text('HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n'.repeat(interim))];
    const length = chunks === null ? `Content-Length: ${body.length}\r\n` : 'Transfer-Encoding: chunked\r\n';
    parts.push(text(`HTTP/1.1 ${status} Some reason\r\n${lines(fields)}${length}\r\n`));
    if (chunks === null) parts.push(body);
    else {
      for (let position = 0, index = 0; position < body.length; index++) {
        const size = chunks.sizes[index % chunks.sizes.length] as number;
        const chunk = body.subarray(position, position + size);
        position += chunk.length;
        parts.push(text(`${chunk.length.toString(16)}${chunks.extension}\r\n`), chunk, text('\r\n'));
      }
      parts.push(text(`0\r\n${lines(chunks.trailers)}\r\n`));
    }
    return { bytes: Buffer.concat(parts), status, body };
  });

describe('an answer', () => {
  it('is read whole, wherever it is cut into pieces', () => {
    fc.assert(
      fc.property(responseArbitrary, cutsArbitrary, ({ bytes, status, body }, cuts) => {
        const got = parse(bytes, cuts);
        expect(got.head?.status).toBe(status);
        expect(got.body.equals(body)).toBe(true);
        expect([got.end, got.keepsAlive]).toEqual(['end', true]);
      }),
      { numRuns: 300 },
    );
  });

  it('is never whole when something is missing', () => {
    fc.assert(
      fc.property(responseArbitrary, fc.nat(), cutsArbitrary, ({ bytes }, at, cuts) => {
        expect(parse(bytes.subarray(0, at % bytes.length), cuts).end).toBe('more');
      }),
      { numRuns: 300 },
    );
  });

  it('is the same with the same damage, wherever it is cut, and nothing else is thrown', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(responseArbitrary, edits, cutsArbitrary, ({ bytes }, damage, cuts) => {
        const damaged = Uint8Array.from(bytes);
        for (const [at, byte] of damage) damaged[at % damaged.length] = byte;
        expect(parse(damaged, cuts)).toEqual(parse(damaged));
      }),
      { numRuns: 500 },
    );
  });

  it('is not made of noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 3000 }), cutsArbitrary, (noise, cuts) => {
        expect(parse(noise, cuts).end).not.toBe('end');
        const inBody = Buffer.concat([text('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'), noise]);
        expect(parse(inBody, cuts)).toEqual(parse(inBody));
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['another protocol', 'HTTP/2 200\r\n\r\n'],
    ['HTTP/0.9', `${'<html>'.padEnd(40, ' ')}\r\n`],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a line without CR', 'HTTP/1.1 200 OK\ncontent-length: 0\n\n'],
    ['a folded field', 'HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\na : b\r\n\r\n'],
    ['a field without a name', 'HTTP/1.1 200 OK\r\n: b\r\n\r\n'],
    ['a field without a colon', 'HTTP/1.1 200 OK\r\nabc\r\n\r\n'],
    ['control characters', 'HTTP/1.1 200 OK\r\na: b\0c\r\n\r\n'],
    ['a lone CR in a field', 'HTTP/1.1 200 OK\r\na: b\rc: d\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n'],
    ['a list of lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1, 1\r\n\r\n'],
    ['a negative length', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n'],
    ['a length in hexadecimal', 'HTTP/1.1 200 OK\r\ncontent-length: 0x10\r\n\r\n'],
    ['a length beyond all bounds', `HTTP/1.1 200 OK\r\ncontent-length: ${'9'.repeat(16)}\r\n\r\n`],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n'],
    ['an unknown encoding', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n'],
    ['two encodings', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n'],
    ['a change of the protocol', 'HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n'],
    ['interim heads without end', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(20)],
    ['a head that is too long', `HTTP/1.1 200 OK\r\na: ${'b'.repeat(RESPONSE_LIMITS.headBytes)}\r\n\r\n`],
    ['a head that does not end', `HTTP/1.1 200 OK\r\n${`a: ${'b'.repeat(400)}\r\n`.repeat(60)}`],
    ['too many fields', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(RESPONSE_LIMITS.fields + 1)}\r\n`],
    ['a chunk without a size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\r\nabc'],
    ['a size with a sign', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n+3\r\nabc\r\n'],
    ['a size with a prefix', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0x3\r\nabc\r\n'],
    ['a chunk that is too large', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10000001\r\n'],
    ['a size beyond all bounds', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffff\r\n'],
    [
      'a chunk longer than it said',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n',
    ],
    [
      'a long extension',
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;${'x'.repeat(RESPONSE_LIMITS.chunkLineBytes)}\r\nabc\r\n`,
    ],
    [
      'trailers without end',
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${'a: b\r\n'.repeat(RESPONSE_LIMITS.fields + 1)}\r\n`,
    ],
  ])('is refused for %s', (_name, bytes) => {
    expect(parse(text(bytes)).end).toBe('malformed');
    expect(parse(text(bytes), [1, 7, 20, 40, 60, 80]).end).toBe('malformed');
  });

  it('has no body where none may be, and its connection ends where it says so', () => {
    for (const head of [
      'HTTP/1.1 204 No Content\r\n\r\n',
      'HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n',
    ])
      expect(parse(text(head))).toMatchObject({ end: 'end', keepsAlive: true });
    const closing = 'HTTP/1.1 200 OK\r\nConnection: foo, Close\r\ncontent-length: 1\r\n\r\nx';
    expect(parse(text(closing))).toMatchObject({ end: 'end', keepsAlive: false });
    const old = 'HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx';
    expect(parse(text(old))).toMatchObject({ end: 'end', keepsAlive: false });
    const untilClose = 'HTTP/1.1 200 OK\r\n\r\nsome';
    expect(parse(text(untilClose))).toMatchObject({ end: 'end', keepsAlive: false, body: text('some') });
    const more = 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n\r\n';
    expect(parse(text(more))).toMatchObject({ end: 'end', keepsAlive: false, body: text('x') });
  });
});
