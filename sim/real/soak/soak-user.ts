import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SeededRandom } from '@cairn/bench';
import type { Client } from '@cairn/client';
import { type Change, type ChangesetId, createId, type EntryId, isCairnError } from '@cairn/model';
import { createPlainUploads, type PlainUploads } from './plain-uploads.ts';
import type { ServerClock } from './server-clock.ts';
import { type SoakContent, type SoakContents, sourceOf } from './soak-contents.ts';

const DAY_MS = 24 * 60 * 60_000;
const TRASH_DAYS = 90;
const PATHS = 8;
const PATIENCE_MS = 120_000;
const PAUSE_MS = 40;
const TRIES = 8;
const LONGEST_DELAY_MS = 2500;
const VERSIONS_READ = 3;

/** Errors that are as they should be while servers and nodes are killed. What was asked for may have happened or not. */
export const PASSING = [
  'server-unreachable',
  'unavailable',
  'limit-reached',
  // Time jumped again while a token was renewed.
  'token-expired',
] as const;

interface Trashed {
  readonly path: string;
  readonly content: SoakContent;
  /** Not later than the server's own instant. */
  readonly trashedAt: number;
}

export interface SoakUserOptions {
  readonly name: string;
  readonly client: Client;
  readonly random: SeededRandom;
  readonly contents: SoakContents;
  readonly clock: ServerClock;
  count(what: string): void;
  /** Something is wrong. */
  fail(what: string): void;
}

/** One account that does one thing after the other, and knows what the server has acknowledged. */
export interface SoakUser {
  readonly name: string;
  act(): Promise<void>;
  /** Everything that it believes stored must be there. Nobody else does anything meanwhile. Returns how many files. */
  check(): Promise<number>;
  /** Lets its sign-in not be over, however time jumps. */
  stayHere(): Promise<void>;
}

export function createSoakUser(options: SoakUserOptions): SoakUser {
  const { name, client, random, contents, clock, count } = options;
  const live = new Map<string, SoakContent | null>();
  for (let index = 0; index < PATHS; index++) live.set(`/${name}-${index}`, null);
  const written = new Map<string, Set<string>>();
  const trash = new Map<EntryId, Trashed>();
  let isFirst = true;
  const uploads: PlainUploads = createPlainUploads(client);

  const fail = (what: string) => options.fail(`${name}: ${what}`);

  /** Again and again until the server answers. */
  async function patiently<Result>(work: () => Promise<Result>): Promise<Result> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!isCairnError(error, ...PASSING) || performance.now() > deadline) throw error;
        await sleep(PAUSE_MS);
      }
    }
  }

  async function hashOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
    const hash = createHash('sha256');
    for await (const piece of pieces) hash.update(piece);
    return hash.digest('hex');
  }

  async function find(path: string) {
    try {
      return await patiently(() => client.files.get(path));
    } catch (error) {
      if (isCairnError(error, 'not-found')) return null;
      throw error;
    }
  }

  /** The hash of what the server has there; `null` for nothing. */
  async function read(path: string): Promise<string | null> {
    const entry = await find(path);
    if (entry === null) return null;
    const { entryId, versionId } = entry;
    if (versionId === undefined) throw new Error(`${path} is no file`);
    return patiently(() => client.files.readVersion(entryId, versionId, hashOf));
  }

  const show = (hash: string | null) => (hash === null ? 'nothing' : hash.slice(0, 12));

  /** Does something to one path. Whether a thing that failed was done all the same is found out. */
  async function change(
    path: string,
    after: SoakContent | null,
    work: () => Promise<void>,
  ): Promise<'done' | 'not-done'> {
    const before = live.get(path) ?? null;
    if (after !== null) written.set(path, (written.get(path) ?? new Set()).add(after.hash));
    try {
      await work();
      live.set(path, after);
      return 'done';
    } catch (error) {
      if (!isCairnError(error, ...PASSING)) throw error;
      count('answers lost or refused');
      const now = await read(path);
      const isDone = now === (after?.hash ?? null);
      if (!isDone && now !== (before?.hash ?? null)) {
        fail(
          `${path} has ${show(now)} after a change from ${show(before?.hash ?? null)} to ${show(after?.hash ?? null)}`,
        );
      }
      live.set(path, isDone ? after : before);
      return isDone ? 'done' : 'not-done';
    }
  }

  /** As devices do: ask what is missing, send that, commit; again when blocks went in between. */
  async function commit(path: string, content: SoakContent, delayMs: number): Promise<void> {
    const space = await client.personalSpace();
    const { rootId } = await client.session();
    for (let attempt = 1; ; attempt++) {
      const upload = space.createUpload();
      const stored = await upload.add(sourceOf(content), { profile: 't32-64k' });
      await upload.flush();
      await sleep(delayMs);
      const entry = await find(path);
      const what: Change =
        entry === null
          ? {
              kind: 'create',
              entryId: createId<EntryId>(randomBytes(16)),
              parentId: rootId,
              name: path.slice(1),
              entry: { kind: 'file', content: stored, executable: false, modifiedAtUs: 0 },
            }
          : { kind: 'update', entryId: entry.entryId, baseSequence: entry.sequence, content: stored };
      try {
        await space.commit({ changesetId: createId<ChangesetId>(randomBytes(16)), changes: [what] });
        return;
      } catch (error) {
        if (!isCairnError(error, 'blocks-missing') || attempt >= TRIES) throw error;
        count('commits of blocks that had gone');
      }
    }
  }

  /** In one request, as scripts do. */
  async function put(path: string, content: SoakContent): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await uploads.put(path, content.bytes());
        return;
      } catch (error) {
        if (!isCairnError(error, 'blocks-missing') || attempt >= TRIES) throw error;
        count('commits of blocks that had gone');
      }
    }
  }

  async function save(path: string): Promise<void> {
    const content = contents.pick(random);
    const choice = random.fraction();
    if (choice < 0.4) {
      count('saved in one request');
      await change(path, content, () => put(path, content));
    } else if (choice < 0.75) {
      count('saved as devices do');
      await change(path, content, () => commit(path, content, 0));
    } else {
      count('saved after a long pause');
      await change(path, content, () => commit(path, content, random.integer(100, LONGEST_DELAY_MS)));
    }
  }

  async function remove(path: string, content: SoakContent): Promise<void> {
    count('deleted');
    const entry = await find(path);
    if (entry === null) return fail(`${path} is gone`);
    const trashedAt = clock.now();
    if ((await change(path, null, () => client.files.remove(entry.entryId))) === 'done')
      trash.set(entry.entryId, { path, content, trashedAt });
  }

  /** Whether it was there for too long, so that the server may have deleted it. */
  const mayBeGone = ({ trashedAt }: Trashed) => clock.now() - trashedAt >= TRASH_DAYS * DAY_MS;

  async function fromTrash(): Promise<void> {
    if (trash.size === 0) return;
    const [entryId, item] = random.pick([...trash]);
    if (random.chance(0.35)) {
      count('deleted for good');
      trash.delete(entryId);
      await client.files.purge(entryId).catch((error: unknown) => {
        if (isCairnError(error, ...PASSING)) return;
        if (isCairnError(error, 'not-found') && mayBeGone(item)) return;
        throw error;
      });
      return;
    }
    if (live.get(item.path) !== null) return;
    count('restored');
    try {
      const done = await change(
        item.path,
        item.content,
        async () => void (await client.files.restore(entryId)),
      );
      if (done === 'done') trash.delete(entryId);
    } catch (error) {
      if (!isCairnError(error, 'not-found') || !mayBeGone(item)) throw error;
      trash.delete(entryId);
    }
  }

  async function emptyTrash(): Promise<void> {
    count('trash emptied');
    trash.clear();
    await client.files.emptyTrash().catch((error: unknown) => {
      if (!isCairnError(error, ...PASSING)) throw error;
    });
  }

  /** Reads some versions of a file, and perhaps makes one of them the present one. */
  async function lookBack(path: string): Promise<void> {
    const entry = await find(path);
    if (entry === null) return fail(`${path} is gone`);
    const versions = await patiently(() => client.files.versions(entry.entryId));
    for (let looked = 0; looked < VERSIONS_READ; looked++) {
      const { versionId } = random.pick(versions);
      try {
        const hash = await patiently(() => client.files.readVersion(entry.entryId, versionId, hashOf));
        count('old versions read');
        if (written.get(path)?.has(hash) !== true)
          fail(`a version of ${path} has ${show(hash)}, which was never there`);
        if (looked > 0 || random.chance(0.5)) continue;
        count('reverted');
        const content = { hash, sizeBytes: 0, bytes: () => new Uint8Array(0) };
        await change(path, content, async () => {
          await client.files.revert(entry.entryId, versionId);
        });
      } catch (error) {
        // It may have been thinned out since it was listed; the present one never is.
        if (!isCairnError(error, 'not-found', 'blocks-missing') || versionId === entry.versionId) throw error;
      }
    }
  }

  async function download(path: string, content: SoakContent): Promise<void> {
    count('downloaded');
    const hash = await read(path);
    if (hash !== content.hash) fail(`${path} has ${show(hash)} instead of ${show(content.hash)}`);
  }

  /** Blocks that nobody commits. */
  async function abandon(content: SoakContent): Promise<void> {
    count('abandoned uploads');
    const space = await client.personalSpace();
    const upload = space.createUpload();
    await upload.add(sourceOf(content), { profile: 't32-64k' });
    await upload.flush();
  }

  /** Begins an upload in parts, and ends it now or much later, or never. */
  async function saveInParts(path: string): Promise<void> {
    count('saved in parts');
    const content = contents.pick(random);
    const pending = await uploads.begin(path, content);
    try {
      await uploads.sendParts(pending, content.bytes());
      await sleep(random.integer(0, LONGEST_DELAY_MS));
      if (random.chance(0.2)) return;
      await change(path, content, () => uploads.complete(pending));
    } catch (error) {
      // Its time was over.
      if (!isCairnError(error, 'not-found', 'blocks-missing')) throw error;
      count('uploads in parts that were too late');
    }
  }

  async function choose(): Promise<void> {
    const path = random.pick([...live.keys()]);
    const content = live.get(path) ?? null;
    const choice = random.fraction();
    if (isFirst || choice < 0.06) {
      // So that there is garbage, however short it all is.
      const content = isFirst ? contents.makeFresh(random) : contents.pick(random);
      isFirst = false;
      return abandon(content);
    }
    if (choice < 0.13) return saveInParts(path);
    if (choice < 0.25) return fromTrash();
    if (choice < 0.27) return emptyTrash();
    if (content === null || choice < 0.5) return save(path);
    if (choice < 0.7) return remove(path, content);
    if (choice < 0.85) return download(path, content);
    return lookBack(path);
  }

  return {
    name,
    async act() {
      try {
        await choose();
      } catch (error) {
        if (isCairnError(error, ...PASSING)) count('answers lost or refused');
        else fail(`${(error as Error).stack ?? String(error)}`);
      }
    },
    async stayHere() {
      await patiently(() => client.account.me());
    },
    async check() {
      let checked = 0;
      for (const [path, content] of live) {
        const hash = await read(path);
        if (content !== null) checked++;
        if (hash !== (content?.hash ?? null))
          fail(`at rest ${path} has ${show(hash)} instead of ${show(content?.hash ?? null)}`);
      }
      const listed = new Set<EntryId>();
      for await (const { entryId } of client.files.trash()) listed.add(entryId);
      for (const [entryId, item] of trash) {
        if (listed.has(entryId)) continue;
        if (!mayBeGone(item)) fail(`${item.path} (${entryId}) is not in the trash any more`);
        trash.delete(entryId);
      }
      return checked;
    },
  };
}
