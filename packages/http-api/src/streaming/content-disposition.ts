const ATTRIBUTE_CHARACTERS = /[^A-Za-z0-9!#$&+.^_`|~-]/g;

/** `Content-Disposition: inline`, with the name for those who save it. */
export function inlineDisposition(name: string): string {
  return attachment(name).replace(/^attachment/, 'inline');
}

/** `Content-Disposition: attachment` with the name in both forms of RFC 6266; control characters cannot get in. */
export function attachment(name: string): string {
  const wellFormed = name.toWellFormed();
  const plain = wellFormed.replace(/[^\x20-\x7e]|["\\%/]/g, '_');
  const encoded = Array.from(new TextEncoder().encode(wellFormed), (byte) => {
    const character = String.fromCharCode(byte);
    ATTRIBUTE_CHARACTERS.lastIndex = 0;
    return byte > 0x7e || ATTRIBUTE_CHARACTERS.test(character)
      ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
      : character;
  }).join('');
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
