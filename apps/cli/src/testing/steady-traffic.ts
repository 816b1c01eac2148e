import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Files that a server has acknowledged, with what they hold; and uploads and downloads without pause. */
export interface SteadyTraffic {
  /** Stores a file of random bytes. Throws when the server does not take it. */
  store(path: string, sizeBytes: number): Promise<void>;
  /** Reads every file that was acknowledged and compares it. */
  checkAll(): Promise<number>;
  /** Uploads and downloads until stopped. Answers of a server that is up must be right; one that is away is waited for. */
  start(): { goOn(requests: number): Promise<void>; stop(): Promise<void> };
}

/** For tests: talks to the server at `url()` with the token of `token()`. */
export function createSteadyTraffic(url: () => string, token: () => string): SteadyTraffic {
  /** By id, since that is how files are downloaded. */
  const files = new Map<string, string>();
  const authorization = () => `Bearer ${token()}`;

  async function store(path: string, sizeBytes: number): Promise<void> {
    const bytes = new Uint8Array(randomBytes(sizeBytes));
    const response = await fetch(`${url()}/api/v1/files/content?path=${encodeURIComponent(path)}`, {
      method: 'PUT',
      headers: { authorization: authorization(), 'content-type': 'application/octet-stream' },
      body: bytes,
    });
    const answer = (await response.json()) as { entry?: { entryId: string } };
    if (answer.entry === undefined) throw new Error(`${response.status} ${JSON.stringify(answer)}`);
    files.set(answer.entry.entryId, hash(bytes));
  }

  async function check(entryId: string): Promise<void> {
    const response = await fetch(`${url()}/api/v1/files/${entryId}/content`, {
      headers: { authorization: authorization() },
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    const got = hash(new Uint8Array(await response.arrayBuffer()));
    if (got !== files.get(entryId)) throw new Error(`other bytes for ${entryId}`);
  }

  function start() {
    let isOver = false;
    let requests = 0;
    /** A connection that breaks off is no answer; whatever the server says in words is one. */
    async function patiently(work: () => Promise<void>): Promise<void> {
      try {
        await work();
        requests++;
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        await sleep(50);
      }
    }
    async function writeOn(writer: number): Promise<void> {
      for (let number = 0; !isOver; number++) {
        const size = 10_000 + Math.floor(Math.random() * 150_000);
        await patiently(() => store(`/traffic-${writer}-${number}-${randomBytes(4).toString('hex')}`, size));
        // What is to be read and compared in the end is to stay a bounded number of files.
        await sleep(100);
      }
    }
    async function readOn(): Promise<void> {
      while (!isOver) {
        const ids = [...files.keys()];
        await patiently(() => check(ids[Math.floor(Math.random() * ids.length)] as string));
      }
    }
    const all = Promise.all([writeOn(1), writeOn(2), readOn(), readOn()]);
    // Thrown where somebody waits.
    all.catch(() => undefined);
    return {
      async goOn(count: number): Promise<void> {
        const wanted = requests + count;
        while (requests < wanted) await Promise.race([all, sleep(20)]);
      },
      async stop(): Promise<void> {
        isOver = true;
        await all;
      },
    };
  }

  return {
    store,
    async checkAll() {
      for (const entryId of files.keys()) await check(entryId);
      return files.size;
    },
    start,
  };
}
