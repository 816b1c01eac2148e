import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '@cairn/environment';
import { type SignedIn, signedInSchema } from '@cairn/protocol';
import { type RunningServer, type StartServerOptions, startServer } from '../start-server.ts';

export interface Asked {
  readonly token?: string | null;
  readonly json?: unknown;
  readonly body?: Uint8Array | string;
  readonly headers?: Record<string, string>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  readonly text: string;
  /** The body as JSON, `undefined` when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any form
  readonly json: any;
}

export interface TestServer {
  readonly url: string;
  readonly running: RunningServer;
  readonly directory: string;
  readonly logged: string[];
  ask(method: string, path: string, asked?: Asked): Promise<Answered>;
  register(username: string, deviceName?: string): Promise<SignedIn>;
  login(username: string, deviceName?: string): Promise<SignedIn>;
  close(): Promise<void>;
}

export const PASSWORD = 'correct horse battery staple';

function collectingLog(lines: string[]): Log {
  const write = (level: string) => (event: string, fields?: object) =>
    void lines.push(JSON.stringify({ level, event, ...fields }));
  const log: Log = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: () => log,
  };
  return log;
}

/** A real server on a free loopback port with a folder of its own; cheap password hashing. */
export async function startTestServer(options: Partial<StartServerOptions> = {}): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'cairn-server-test-'));
  const logged: string[] = [];
  const running = await startServer({
    data: join(directory, 'data'),
    port: 0,
    passwordCost: { memoryKib: 64, passes: 1, lanes: 1 },
    log: collectingLog(logged),
    drainMs: 2000,
    webApp: null,
    ...options,
  }).catch(async (error: unknown) => {
    await rm(directory, { recursive: true, force: true });
    throw error;
  });

  async function ask(method: string, path: string, asked: Asked = {}): Promise<Answered> {
    const headers: Record<string, string> = { ...asked.headers };
    if (asked.token) headers['authorization'] = `Bearer ${asked.token}`;
    if (asked.json !== undefined) headers['content-type'] = 'application/json';
    const body = asked.json === undefined ? asked.body : JSON.stringify(asked.json);
    const response = await fetch(running.url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: body as BodyInit }),
      redirect: 'manual',
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const text = new TextDecoder().decode(bytes);
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { status: response.status, headers: response.headers, bytes, text, json };
  }

  async function signIn(path: string, username: string, deviceName: string): Promise<SignedIn> {
    const answer = await ask('POST', path, { json: { username, password: PASSWORD, deviceName } });
    if (answer.status >= 300) throw new Error(`cannot sign in: ${answer.text}`);
    return signedInSchema.parse(answer.json);
  }

  return {
    url: running.url,
    running,
    directory,
    logged,
    ask,
    register: (username, deviceName = 'Laptop') => signIn('/api/v1/auth/register', username, deviceName),
    login: (username, deviceName = 'Laptop') => signIn('/api/v1/auth/login', username, deviceName),
    async close() {
      await running.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
