import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  createClient,
  createMemorySessionStore,
  createNodeTransport,
  type SpaceClient,
} from '@cairn/client';
import { type ContentPlatform, createNodePlatform } from '@cairn/content';
import { createSystemEnvironment, type Environment } from '@cairn/environment';
import { type ChangesetId, type Cursor, createId, type EntryId } from '@cairn/model';
import { type DevicePlan, type LoadPlan, SAMPLED_SEQUENCES } from './messages.ts';

/** After so many saves of one file comes the next one. */
const SAVES_PER_FILE = 4;

export interface DeviceNotes {
  readonly commitMs: number[];
  readonly uploadMs: number[];
  readonly commits: (readonly [sequence: number, askedAt: number, answeredAt: number])[];
  readonly heard: (readonly [sequence: number, heardAt: number])[];
  readonly errors: string[];
  hints: number;
  followedChanges: number;
  lastSequence: number;
}

export interface LoadDevice {
  readonly spaceId: string;
  readonly isFollower: boolean;
  readonly notes: DeviceNotes;
  /** Works until the signal is given. Never rejects: see `notes.errors`. */
  run(signal: AbortSignal): Promise<void>;
  /** Has everything that the space has. Only of followers. */
  catchUp(): Promise<void>;
  close(): void;
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

export async function signIn(plan: LoadPlan, device: DevicePlan): Promise<LoadDevice> {
  const environment = createSystemEnvironment();
  const platform = createNodePlatform();
  const client = createClient({
    transport: createNodeTransport({ serverUrl: plan.serverUrl, maxConnections: 2 }),
    store: createMemorySessionStore(),
    environment,
    platform,
    // A repeated request would hide what went wrong.
    maxAttempts: 1,
  });
  const { username, name } = device;
  await client.account.login({ username, password: plan.password, deviceName: name });
  return followSpace(await client.personalSpace(), { plan, device, client, environment, platform });
}

interface Parts {
  readonly plan: LoadPlan;
  readonly device: DevicePlan;
  readonly client: Client;
  readonly environment: Environment;
  readonly platform: ContentPlatform;
}

async function followSpace(space: SpaceClient, parts: Parts): Promise<LoadDevice> {
  const { device, client } = parts;
  const notes: DeviceNotes = {
    commitMs: [],
    uploadMs: [],
    commits: [],
    heard: [],
    errors: [],
    hints: 0,
    followedChanges: 0,
    lastSequence: 0,
  };
  let cursor: Cursor = (await space.snapshot(null)).cursor;
  let nextSample = (Math.floor(cursor.sequence / SAMPLED_SEQUENCES) + 1) * SAMPLED_SEQUENCES;
  notes.lastSequence = cursor.sequence;
  let following: Promise<void> | null = null;
  let isBehind = false;

  async function readChanges(): Promise<void> {
    do {
      isBehind = false;
      for (let more = true; more; ) {
        const page = await space.changes(cursor, { waitMs: 0 });
        for (const change of page.changes) {
          if (change.sequence === notes.lastSequence + 1) notes.lastSequence++;
          else notes.errors.push(`sequence ${change.sequence} came after ${notes.lastSequence}`);
        }
        notes.followedChanges += page.changes.length;
        ({ cursor, more } = page);
      }
    } while (isBehind);
  }

  function follow(): void {
    isBehind = true;
    following ??= readChanges()
      .catch((error: unknown) => void notes.errors.push(String(error)))
      .finally(() => {
        following = null;
      });
  }

  function onHint(sequence: number | null): void {
    if (sequence !== null) {
      const heardAt = nowMs();
      notes.hints++;
      for (; nextSample <= sequence; nextSample += SAMPLED_SEQUENCES) notes.heard.push([nextSample, heardAt]);
    }
    if (device.role === 'follower') follow();
  }

  let isLive: () => void = () => undefined;
  const live = new Promise<void>((resolve) => {
    isLive = resolve;
  });
  const hints = space.hints(onHint, (state) => {
    if (state === 'live') isLive();
  });
  await live;

  return {
    spaceId: space.spaceId,
    isFollower: device.role === 'follower',
    notes,
    async run(signal) {
      if (device.role === 'committer') await commitUntil(signal, space, parts, notes);
    },
    async catchUp() {
      if (device.role !== 'follower') return;
      if (following !== null) await following;
      follow();
      await following;
    },
    close() {
      hints.close();
      client.close();
    },
  };
}

/** Saves small files one after the other: each goes up as a block, durable when answered, and is committed. */
async function commitUntil(
  signal: AbortSignal,
  space: SpaceClient,
  { plan, device }: Parts,
  notes: DeviceNotes,
): Promise<void> {
  let file: { readonly entryId: EntryId; sequence: number } | null = null;
  for (let save = 0; !signal.aborted; save++) {
    const bytes = randomBytes(plan.contentBytes);
    try {
      const startedAt = nowMs();
      const upload = space.createUpload();
      const content = await upload.add(
        { read: async (into, position) => bytes.copy(into, 0, position) },
        { profile: 't32-64k' },
      );
      await upload.flush();
      const askedAt = nowMs();
      if (save % SAVES_PER_FILE === 0) file = null;
      const entryId: EntryId = file?.entryId ?? createId<EntryId>(randomBytes(16));
      const committed = await space.commit({
        changesetId: createId<ChangesetId>(randomBytes(16)),
        changes: [
          file === null
            ? {
                kind: 'create',
                entryId,
                parentId: space.rootId,
                name: `${device.name} ${save}.bin`,
                entry: { kind: 'file', content, executable: false, modifiedAtUs: Date.now() * 1000 },
              }
            : { kind: 'update', entryId, baseSequence: file.sequence, content },
        ],
      });
      const answeredAt = nowMs();
      file = { entryId, sequence: committed.sequence };
      notes.uploadMs.push(askedAt - startedAt);
      notes.commitMs.push(answeredAt - askedAt);
      notes.lastSequence = Math.max(notes.lastSequence, committed.sequence);
      if (committed.sequence % SAMPLED_SEQUENCES === 0)
        notes.commits.push([committed.sequence, askedAt, answeredAt]);
      if (plan.pauseMs > 0) await sleep(plan.pauseMs);
    } catch (error) {
      notes.errors.push(String(error));
      // What failed may fail at once again, and again.
      if (notes.errors.length >= 20) return;
      file = null;
    }
  }
}
