import { CairnError } from '@cairn/model';

const LOOPBACK = /^(localhost|.*\.localhost|127(\.[0-9]{1,3}){3}|\[::1\])$/;

/**
 * Checks and normalises what a person gave as the server's address: `http(s)://host[:port][/prefix]`, without a
 * trailing slash. A missing scheme means https, or http on the loopback.
 * @throws CairnError `usage`
 */
export function parseServerUrl(text: string): string {
  const trimmed = text.trim();
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed)
    ? trimmed
    : `${guessScheme(trimmed)}://${trimmed}`;
  if (!URL.canParse(withScheme)) throw wrongAddress(text);
  const url = new URL(withScheme);
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '')
    throw wrongAddress(text);
  if (url.username !== '' || url.password !== '') {
    throw new CairnError(
      'usage',
      'the server address must not hold a user name or password; give only the address and sign in with "cairn login"',
    );
  }
  return url.origin + url.pathname.replace(/\/+$/, '');
}

function guessScheme(text: string): string {
  const host = /^(\[[^\]]*\]|[^:/]*)/.exec(text)?.[0] ?? '';
  return LOOPBACK.test(host.toLowerCase()) ? 'http' : 'https';
}

function wrongAddress(text: string): CairnError {
  return new CairnError(
    'usage',
    `${JSON.stringify(text)} is not a server address; write it like https://cairn.example.org or http://127.0.0.1:8000`,
  );
}

/** Whether requests to `serverUrl` travel in clear over a network that others may listen to. */
export function isExposed(serverUrl: string): boolean {
  const url = new URL(serverUrl);
  return url.protocol === 'http:' && !LOOPBACK.test(url.hostname.toLowerCase());
}

/**
 * Refuses to send a password or token in clear over a network, unless the person allowed it.
 * @throws CairnError `usage`
 */
export function refuseExposed(serverUrl: string, allowed: boolean): void {
  if (allowed || !isExposed(serverUrl)) return;
  throw new CairnError(
    'usage',
    `${serverUrl} is not encrypted: anybody on the way could read your password and files. ` +
      'Use the https:// address; if you trust the network between here and there, set CAIRN_ALLOW_HTTP=1',
  );
}
