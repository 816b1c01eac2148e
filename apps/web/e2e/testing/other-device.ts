import { createHash } from 'node:crypto';

export interface Listed {
  readonly entryId: string;
  readonly kind: 'file' | 'folder' | 'link';
  readonly name: string;
  readonly path: string;
}

/** Another device of the person, which knows nothing of the browser: plain requests to the public API. */
export class OtherDevice {
  readonly #url: string;
  #token: string;
  #refreshToken: string;
  readonly deviceId: string;

  constructor(url: string, token: string, deviceId: string, refreshToken: string) {
    this.#url = url;
    this.#token = token;
    this.#refreshToken = refreshToken;
    this.deviceId = deviceId;
  }

  /** Goes on with a new access token, when the one from before is too old. */
  async renew(): Promise<void> {
    const answer = await this.ask('POST', '/auth/refresh', { refreshToken: this.#refreshToken });
    const tokens = (await answer.json()) as { accessToken: string; refreshToken: string };
    this.#token = tokens.accessToken;
    this.#refreshToken = tokens.refreshToken;
  }

  async ask(method: string, path: string, body?: unknown): Promise<Response> {
    const isBytes = body instanceof Uint8Array;
    const response = await fetch(`${this.#url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined
          ? {}
          : { 'content-type': isBytes ? 'application/octet-stream' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isBytes ? (body as BodyInit) : JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  /** Saves a file; missing folders on the way are made. */
  async put(path: string, content: string | Uint8Array): Promise<Listed> {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const response = await this.ask('PUT', `/files/content?path=${encodeURIComponent(path)}`, bytes);
    return ((await response.json()) as { entry: Listed }).entry;
  }

  async makeFolder(path: string): Promise<Listed> {
    const response = await this.ask('POST', '/folders', { path });
    return ((await response.json()) as { entry: Listed }).entry;
  }

  /** What is in a folder. */
  async list(path = '/'): Promise<readonly Listed[]> {
    const items: Listed[] = [];
    let after: string | null = null;
    do {
      const more: string = after === null ? '' : `&after=${encodeURIComponent(after)}`;
      const response = await this.ask('GET', `/files?path=${encodeURIComponent(path)}${more}`);
      const page = (await response.json()) as { children: Listed[]; next: string | null };
      items.push(...page.children);
      after = page.next ?? null;
    } while (after !== null);
    return items;
  }

  async names(path = '/'): Promise<readonly string[]> {
    return (await this.list(path)).map(({ name }) => name).sort();
  }

  async find(path: string): Promise<Listed> {
    const at = path.lastIndexOf('/');
    const name = path.slice(at + 1);
    const found = (await this.list(at === 0 ? '/' : path.slice(0, at))).find((item) => item.name === name);
    if (found === undefined) throw new Error(`${path} is not there`);
    return found;
  }

  async read(path: string): Promise<Buffer> {
    const { entryId } = await this.find(path);
    const response = await this.ask('GET', `/files/${entryId}/content`);
    return Buffer.from(await response.arrayBuffer());
  }

  /** Path below the folder → SHA-256 of each file; folders end with a slash. */
  async tree(path = '/', below = ''): Promise<Record<string, string>> {
    const hashes: Record<string, string> = {};
    for (const item of await this.list(path)) {
      const relative = `${below}${item.name}`;
      if (item.kind === 'folder') {
        hashes[`${relative}/`] = 'folder';
        Object.assign(hashes, await this.tree(item.path, `${relative}/`));
      } else {
        const response = await this.ask('GET', `/files/${item.entryId}/content`);
        hashes[relative] = sha256(new Uint8Array(await response.arrayBuffer()));
      }
    }
    return hashes;
  }
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
