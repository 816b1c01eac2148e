const ALLOWED = new Set(['http:', 'https:', 'mailto:']);

/**
 * The address of a link in somebody's text, if following it is harmless: whole addresses of the web and of mail.
 * Everything else (scripts, data, files, what is relative to this app) is no link.
 */
export function safeAddress(text: string): string | null {
  try {
    const url = new URL(text);
    return ALLOWED.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
