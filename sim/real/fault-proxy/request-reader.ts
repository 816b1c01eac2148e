/** One piece of what a client says, as far as it belongs to one request. */
export interface RequestPiece {
  /** Such as `GET /api/v1/me`. */
  readonly line: string;
  readonly bytes: Buffer;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  /** A WebSocket or the like: everything after it is no HTTP. */
  readonly isUpgrade: boolean;
}

const MAX_HEAD_BYTES = 256 * 1024;

const LOOKS_LIKE_HTTP = /^[A-Z]{1,16}( |$)/;

type Body = { kind: 'length'; left: number } | { kind: 'chunked'; tail: string } | null;

/**
 * Cuts what a client says on one connection (HTTP/1.1) into requests, without changing a byte. After an upgrade,
 * or when it does not understand, everything passes as one endless last request.
 */
export function createRequestReader(): { read(bytes: Buffer): RequestPiece[] } {
  let head = Buffer.alloc(0);
  let line = '';
  let body: Body = null;
  let isOpaque = false;

  function startBody(text: string): Body {
    const length = /\r\ncontent-length:\s*(\d+)/i.exec(text)?.[1];
    if (length !== undefined) return { kind: 'length', left: Number(length) };
    if (/\r\ntransfer-encoding:\s*chunked/i.test(text)) return { kind: 'chunked', tail: '' };
    return { kind: 'length', left: 0 };
  }

  return {
    read(bytes) {
      const pieces: RequestPiece[] = [];
      let rest = bytes;
      while (rest.length > 0) {
        if (isOpaque) {
          pieces.push({ line, bytes: rest, isFirst: false, isLast: false, isUpgrade: true });
          break;
        }
        if (body === null) {
          const before = head.length;
          head = Buffer.concat([head, rest]);
          const end = head.indexOf('\r\n\r\n');
          const isHttp = LOOKS_LIKE_HTTP.test(head.subarray(0, 17).toString('latin1'));
          if (end < 0 && isHttp && head.length <= MAX_HEAD_BYTES) break;
          const isWhole = end >= 0 && isHttp;
          const size = isWhole ? end + 4 : head.length;
          const text = head.subarray(0, size).toString('latin1');
          line = text.slice(0, text.indexOf('\r\n')).split(' ').slice(0, 2).join(' ');
          isOpaque = !isWhole || /\r\nupgrade:/i.test(text);
          body = isOpaque ? null : startBody(text);
          const isLast = body?.kind === 'length' && body.left === 0;
          pieces.push({ line, bytes: head.subarray(0, size), isFirst: true, isLast, isUpgrade: isOpaque });
          rest = rest.subarray(size - before);
          head = Buffer.alloc(0);
          if (isLast) body = null;
          continue;
        }
        const size = takeBody(body, rest);
        const isLast = body.kind === 'length' ? body.left === 0 : body.tail === 'end';
        pieces.push({ line, bytes: rest.subarray(0, size), isFirst: false, isLast, isUpgrade: false });
        rest = rest.subarray(size);
        if (isLast) body = null;
      }
      return pieces;
    },
  };
}

/** How many of the bytes belong to the body. The end of a chunked one is found by its last five bytes. */
function takeBody(body: Exclude<Body, null>, bytes: Buffer): number {
  if (body.kind === 'length') {
    const size = Math.min(body.left, bytes.length);
    body.left -= size;
    return size;
  }
  const joined = body.tail + bytes.toString('latin1');
  const end = joined.indexOf('0\r\n\r\n');
  if (end < 0) {
    body.tail = joined.slice(-4);
    return bytes.length;
  }
  const size = end + 5 - body.tail.length;
  body.tail = 'end';
  return size;
}
