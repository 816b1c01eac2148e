import type { MetadataReader, RetentionRecord } from '@cairn/metadata-store';
import type { SpaceId } from '@cairn/model';
import { authoriseAdministrator, authoriseSpace, type Principal } from '@cairn/services';
import { purgeOldTrash } from './purge-old-trash.ts';
import {
  DEFAULT_RETENTION,
  type RetentionTrial,
  readServerRetention,
  writeServerRetention,
} from './retention-settings.ts';
import { type RetentionDependencies, thinVersions } from './thin-versions.ts';

/** What holds, and why. */
export interface RetentionAnswer {
  readonly effective: RetentionRecord;
  /** What was set here; `null`: nothing, so the default holds. */
  readonly own: RetentionRecord | null;
  /** Of a space: what the server says. Of the server: what is built in. */
  readonly default: RetentionRecord;
}

/** What a clean-up at this moment would remove. */
export interface RetentionEffect {
  readonly versions: number;
  /** Full lengths of these versions. What that frees is less, as far as blocks are shared. */
  readonly bytes: number;
  readonly trashItems: number;
  readonly trashEntries: number;
}

export interface RetentionPreview {
  /** With what is set now. */
  readonly before: RetentionEffect;
  /** With what was asked about. */
  readonly after: RetentionEffect;
}

/** How long old versions and the trash are kept. `null` for settings takes back what was set. */
export interface RetentionService {
  /** @throws CairnError `not-found` */
  ofSpace(principal: Principal, spaceId: SpaceId): Promise<RetentionAnswer>;
  /** For the space's owner. @throws CairnError `not-found` */
  setOfSpace(
    principal: Principal,
    spaceId: SpaceId,
    retention: RetentionRecord | null,
  ): Promise<RetentionAnswer>;
  /** Sets nothing, and tells what the next clean-up would remove of the space. @throws CairnError `not-found` */
  previewOfSpace(
    principal: Principal,
    spaceId: SpaceId,
    retention: RetentionRecord | null,
    signal?: AbortSignal,
  ): Promise<RetentionPreview>;
  /** For all spaces that say nothing else; for administrators. @throws CairnError `not-found` */
  ofServer(principal: Principal): Promise<RetentionAnswer>;
  setOfServer(principal: Principal, retention: RetentionRecord | null): Promise<RetentionAnswer>;
  previewOfServer(
    principal: Principal,
    retention: RetentionRecord | null,
    signal?: AbortSignal,
  ): Promise<RetentionPreview>;
}

async function describeServer(reader: MetadataReader): Promise<RetentionAnswer> {
  const own = await readServerRetention(reader);
  return { effective: own ?? DEFAULT_RETENTION, own, default: DEFAULT_RETENTION };
}

async function describeSpace(reader: MetadataReader, spaceId: SpaceId): Promise<RetentionAnswer> {
  const own = (await reader.getRetention(spaceId)) ?? null;
  const { effective } = await describeServer(reader);
  return { effective: own ?? effective, own, default: effective };
}

export function createRetentionService(dependencies: RetentionDependencies): RetentionService {
  const { store, environment } = dependencies;

  async function tryOut(trial: RetentionTrial | null, spaceId: SpaceId | null, signal?: AbortSignal) {
    const options = {
      dryRun: true,
      ...(spaceId === null ? {} : { spaceId }),
      ...(trial === null ? {} : { trial }),
      ...(signal === undefined ? {} : { signal }),
    };
    const { versions, bytes } = await thinVersions(dependencies, options);
    const { items, entries } = await purgeOldTrash(dependencies, options);
    return { versions, bytes, trashItems: items, trashEntries: entries };
  }

  async function compare(
    spaceId: SpaceId | null,
    retention: RetentionRecord | null,
    signal?: AbortSignal,
  ): Promise<RetentionPreview> {
    return {
      before: await tryOut(null, spaceId, signal),
      after: await tryOut({ spaceId, retention }, spaceId, signal),
    };
  }

  return {
    ofSpace: (principal, spaceId) =>
      store.read(async (reader) => {
        await authoriseSpace(reader, principal, 'read', spaceId);
        return describeSpace(reader, spaceId);
      }),
    async setOfSpace(principal, spaceId, retention) {
      const answer = await store.transact(async (transaction) => {
        await authoriseSpace(transaction, principal, 'manage', spaceId);
        await transaction.setRetention(spaceId, retention);
        return describeSpace(transaction, spaceId);
      });
      environment.log.info('audit.retention-set', { userId: principal.userId, spaceId, retention });
      return answer;
    },
    async previewOfSpace(principal, spaceId, retention, signal) {
      await store.read((reader) => authoriseSpace(reader, principal, 'manage', spaceId));
      return compare(spaceId, retention, signal);
    },
    ofServer: (principal) =>
      store.read(async (reader) => {
        await authoriseAdministrator(reader, principal);
        return describeServer(reader);
      }),
    async setOfServer(principal, retention) {
      const answer = await store.transact(async (transaction) => {
        await authoriseAdministrator(transaction, principal);
        await writeServerRetention(transaction, retention);
        return describeServer(transaction);
      });
      environment.log.info('audit.retention-set', { userId: principal.userId, spaceId: null, retention });
      return answer;
    },
    async previewOfServer(principal, retention, signal) {
      await store.read((reader) => authoriseAdministrator(reader, principal));
      return compare(null, retention, signal);
    },
  };
}
