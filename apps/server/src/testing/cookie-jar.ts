import type { Answered, Asked, TestServer } from './test-server.ts';

/** A browser as far as cookies go: keeps what it is given, sends them with the web app's header. */
export interface CookieJar {
  ask(method: string, path: string, asked?: Asked): Promise<Answered>;
  get(name: string): string;
  /** The value of the `Cookie` header. */
  header(): string;
  keep(setCookies: readonly string[]): void;
}

export function createCookieJar(server: TestServer): CookieJar {
  const cookies = new Map<string, string>();
  const jar: CookieJar = {
    get: (name) => cookies.get(name) ?? '',
    header: () =>
      [...cookies]
        .filter(([, value]) => value !== '')
        .map(([name, value]) => `${name}=${value}`)
        .join('; '),
    keep(setCookies) {
      for (const line of setCookies) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        cookies.set(name ?? '', value ?? '');
      }
    },
    async ask(method, path, asked = {}) {
      const cookie = jar.header();
      const answer = await server.ask(method, path, {
        ...asked,
        headers: { 'x-cairn-request': 'web', ...(cookie === '' ? {} : { cookie }), ...asked.headers },
      });
      jar.keep(answer.headers.getSetCookie());
      return answer;
    },
  };
  return jar;
}
