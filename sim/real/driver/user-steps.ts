import type { SaveWay, ScenarioItem, ScenarioTree } from '../scenario-schema.ts';
import { bytesOf } from './contents.ts';
import { withFolders } from './expectations.ts';
import type { StageUser } from './stage.ts';

/** Puts a start tree into an empty folder. */
export function placeTree(user: StageUser, tree: ScenarioTree): void {
  for (const [key, item] of Object.entries(withFolders(tree))) placeItem(user, key.replace(/\/$/, ''), item);
}

function placeItem(user: StageUser, path: string, item: ScenarioItem): void {
  if (item === null) user.makeFolder(path);
  else if (typeof item === 'object' && 'link' in item) user.makeLink(path, item.link);
  else if (typeof item === 'object' && 'content' in item) {
    user.writeFile(path, bytesOf(item.content));
    if (item.executable !== undefined) user.setExecutable(path, item.executable);
    if (item.modifiedAtUs !== undefined) user.setModifiedAt(path, item.modifiedAtUs);
  } else if (typeof item === 'object' && ('oneOf' in item || 'other' in item)) {
    throw new Error(`${path}: an item of a start must be definite`);
  } else user.writeFile(path, bytesOf(item));
}

/** Saves as editors do it; the steps of each way are those that its watchers see. */
export function saveFile(user: StageUser, path: string, bytes: Uint8Array, way: SaveWay): void {
  const slash = path.lastIndexOf('/') + 1;
  const beside = (name: string) => path.slice(0, slash) + name;
  const base = path.slice(slash);
  switch (way) {
    case 'rename-over': {
      const fresh = beside(`.${base}.tmp`);
      user.writeFile(fresh, bytes);
      user.rename(fresh, path);
      return;
    }
    case 'vim': {
      const probe = beside('4913');
      user.writeFile(probe, '');
      user.remove(probe);
      user.rename(path, `${path}~`);
      user.writeFile(path, bytes);
      user.remove(`${path}~`);
      return;
    }
    case 'backup': {
      user.rename(path, `${path}.bak`);
      user.writeFile(path, bytes);
      return;
    }
    case 'truncate':
      user.writeFile(path, '');
      user.writeFile(path, bytes);
      return;
    case 'delete-create':
      user.remove(path);
      user.writeFile(path, bytes);
      return;
  }
}

/** Exchanges two things under each other's names. */
export function swap(user: StageUser, left: string, right: string): void {
  user.rename(left, `${left}.swapped`);
  user.rename(right, left);
  user.rename(`${left}.swapped`, right);
}
