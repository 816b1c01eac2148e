import type { DeviceId, EntryId, SpaceId, UserId } from '@cairn/model';

/** What a device keeps of its sign-in. The two tokens are secrets: never printed, never logged. */
export interface SessionRecord {
  readonly serverUrl: string;
  readonly user: { readonly userId: UserId; readonly username: string; readonly role: string };
  readonly device: { readonly deviceId: DeviceId; readonly name: string };
  readonly spaceId: SpaceId;
  readonly rootId: EntryId;
  readonly accessToken: string;
  /** Milliseconds since 1970, server clock. */
  readonly accessTokenExpiresAt: number;
  /** Milliseconds since 1970, this device's clock. */
  readonly receivedAt: number;
  readonly refreshToken: string;
}

/** Where the record is kept; several processes of one device share it. */
export interface SessionStore {
  read(): Promise<SessionRecord | null>;
  /** Durable when resolved. */
  write(record: SessionRecord): Promise<void>;
  remove(): Promise<void>;
  /** Runs `work` while no other process or task does so on the same store. */
  exclusively<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result>;
}

/** A store of one process, for tests and short-lived clients. */
export function createMemorySessionStore(first: SessionRecord | null = null): SessionStore {
  let kept = first;
  let last: Promise<unknown> = Promise.resolve();
  return {
    read: async () => kept,
    write: async (record) => {
      kept = record;
    },
    remove: async () => {
      kept = null;
    },
    exclusively(work) {
      const run = last.then(work, work);
      last = run.catch(() => undefined);
      return run;
    },
  };
}
