import { copyFileSync } from 'node:fs';
import { openSqliteMetadataStore } from '@cairn/metadata-store';
import { createId, type DeviceId, type EntryId, type SpaceId, type UserId } from '@cairn/model';
import { ensureEpoch, type Principal } from '@cairn/services';
import { createSeededChance } from '../../random.ts';
import { scratchPath } from '../../world/template.ts';
import { Timeline } from '../../world/timeline.ts';
import { environmentOf } from '../../world/world-environment.ts';

/** Somebody with a space of their own. */
export interface ClusterUser {
  readonly name: string;
  readonly principal: Principal;
  readonly spaceId: SpaceId;
  readonly rootId: EntryId;
}

interface Template {
  readonly users: readonly ClusterUser[];
  copyTo(path: string): void;
}

let template: Promise<Template> | null = null;

/** A database with two users, made once in a process. */
export function openTemplate(): Promise<Template> {
  template ??= makeTemplate();
  return template;
}

async function makeTemplate(): Promise<Template> {
  const path = scratchPath();
  const environment = environmentOf(new Timeline(), createSeededChance(13));
  const store = await openSqliteMetadataStore({ path, environment, flushes: 'each' });
  await ensureEpoch(store, environment, null);
  const newId = <Id extends string>() => createId<Id>(environment.random.bytes(16));
  const createdAt = environment.clock.now();
  const users: ClusterUser[] = [];
  for (const name of ['ann', 'bob']) {
    const [userId, spaceId, rootId] = [newId<UserId>(), newId<SpaceId>(), newId<EntryId>()];
    const deviceId = newId<DeviceId>();
    const role = 'administrator' as const;
    await store.transact(async (transaction) => {
      await transaction.insertUser({
        userId,
        username: name,
        foldedUsername: name,
        passwordHash: '',
        role,
        personalSpaceId: spaceId,
        createdAt,
      });
      await transaction.insertSpace({
        spaceId,
        kind: 'personal',
        ownerId: userId,
        rootId,
        sequence: 0,
        journalHash: '0'.repeat(64),
        createdAt,
      });
      const device = { deviceId, userId, name, createdAt, lastSeenAt: createdAt, revokedAt: null };
      await transaction.insertDevice(device);
    });
    users.push({ name, principal: { userId, deviceId, role }, spaceId, rootId });
  }
  await store.close();
  return { users, copyTo: (target) => copyFileSync(path, target) };
}
