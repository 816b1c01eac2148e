import { MalformedResponse } from './malformed-response.ts';

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** @throws MalformedResponse */
export function parseStatusLine(line: string): { readonly status: number; readonly isLatest: boolean } {
  const match = STATUS_LINE.exec(line);
  if (match === null) throw new MalformedResponse('it does not begin with a status');
  return { status: Number(match[2]), isLatest: match[1] === '1' };
}

/**
 * One field of a head (RFC 9112, 5): no space before the colon, no folded lines, no control characters.
 * @throws MalformedResponse
 */
export function parseField(line: string): { readonly name: string; readonly value: string } {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0));
  const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '');
  if (!TOKEN.test(name)) throw new MalformedResponse('a field has no name');
  if (!VALUE.test(value)) throw new MalformedResponse('a field has control characters');
  return { name: name.toLowerCase(), value };
}

/**
 * The head of a request. Names and values come from this program; whatever could be read as more than one field is refused.
 * @throws TypeError
 */
export function writeRequestHead(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): string {
  if (!/^\/[\x21-\x7e]*$/.test(path)) throw new TypeError('a path of a request has odd characters');
  let head = `${method} ${path} HTTP/1.1\r\n`;
  for (const [name, value] of Object.entries(headers)) {
    if (!TOKEN.test(name) || !VALUE.test(value)) throw new TypeError(`the field ${name} has odd characters`);
    head += `${name}: ${value}\r\n`;
  }
  return `${head}\r\n`;
}
