import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSystemEnvironment, silentLog } from '@cairn/environment';
import {
  createStoredState,
  Selection,
  type SelectionMark,
  type SelectionRequest,
  type StoredState,
} from '@cairn/sync-engine';
import { openSqliteTreeStore, readSqliteTreeStore } from '@cairn/tree-store';
import { type SyncLink, treesPath } from './links.ts';

/**
 * What was last known about a folder that no daemon works on; `null` when none ever did.
 * @throws CairnError `local-io` when it is damaged
 */
export function readStoredState(home: string, link: SyncLink, deviceName: string): StoredState | null {
  const trees = readSqliteTreeStore(treesPath(home, link));
  if (trees === null) return null;
  const environment = createSystemEnvironment(silentLog);
  return createStoredState({ trees, ignoreText: readIgnoreText(link), deviceName, environment });
}

/** Changes what the device holds while no daemon works on the folder; done at the next start. */
export function selectStored(
  home: string,
  link: SyncLink,
  request: SelectionRequest | null,
): SelectionMark[] {
  const environment = createSystemEnvironment(silentLog);
  const { store } = openSqliteTreeStore({ path: treesPath(home, link), rootId: link.rootId, environment });
  try {
    const selection = new Selection(store, link.rootId);
    if (request !== null) {
      selection.change(request);
      store.flush();
    }
    return selection.list();
  } finally {
    store.close();
  }
}

function readIgnoreText(link: SyncLink): string {
  try {
    return readFileSync(join(link.folder, '.cairnignore'), 'utf8');
  } catch {
    return '';
  }
}
