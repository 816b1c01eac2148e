import { createHash } from 'node:crypto';
import { contentKey, readTree } from '@cairn/bench';
import type { Client } from '@cairn/client';
import type { Entry } from '@cairn/model';
import { readRescued } from '../driver/folder-user.ts';
import type { ServerView } from '../driver/stage.ts';

export interface Found {
  readonly live: number;
  readonly rescued: number;
  readonly inVersions: number;
  /** After everything in the trash was put back. */
  readonly inTrash: number;
  readonly lost: readonly string[];
}

/**
 * Looks for every content, by the hash of its bytes: in the folders, in their rescue areas, then in the versions of
 * everything on the server and at last in those of what was in the trash, which is put back for that.
 */
export async function findLost(
  mustKeep: ReadonlyMap<string, string>,
  folders: readonly string[],
  client: Client,
  view: ServerView,
): Promise<Found> {
  const left = new Map(mustKeep);
  const [first] = folders;
  if (first === undefined) throw new Error('there are no devices');
  const found = { live: 0, rescued: 0, inVersions: 0, inTrash: 0 };
  const find = (key: string, where: keyof typeof found) => {
    if (left.delete(key)) found[where]++;
  };
  for (const { hash, target } of readTree(first).values()) {
    if (hash !== null) find(`file:${hash}`, 'live');
    if (target !== null) find(contentKey('link', target), 'live');
  }
  for (const folder of folders) {
    for (const bytes of readRescued(folder)) find(contentKey('file', Buffer.from(bytes)), 'rescued');
  }
  const looked = new Set<string>();
  if (left.size > 0) await findInVersions(client, view, looked, (key) => find(key, 'inVersions'));
  if (left.size > 0) {
    await view.restoreTrash();
    await findInVersions(client, view, looked, (key) => find(key, 'inTrash'));
  }
  return { ...found, lost: [...left.values()] };
}

async function findInVersions(
  client: Client,
  view: ServerView,
  looked: Set<string>,
  find: (key: string) => void,
): Promise<void> {
  for (const entry of await view.entries()) {
    if (entry.kind === 'folder') continue;
    for (const version of await client.files.versions(entry.entryId)) {
      if (version.target !== null) find(contentKey('link', version.target));
      if (version.contentId === null || looked.has(version.contentId)) continue;
      looked.add(version.contentId);
      find(`file:${await hashOfVersion(client, entry, version.versionId)}`);
    }
  }
}

async function hashOfVersion(client: Client, entry: Entry, versionId: string): Promise<string> {
  const { accessToken } = await client.session();
  const answer = await client.transport.request({
    method: 'GET',
    path: `/api/v1/files/${entry.entryId}/content?versionId=${versionId}`,
    headers: { authorization: `Bearer ${accessToken}` },
  });
  if (answer.status !== 200) throw new Error(`a version of ${entry.name} cannot be read: ${answer.status}`);
  const hash = createHash('sha256');
  for await (const piece of answer.body) hash.update(piece);
  return hash.digest('hex');
}
