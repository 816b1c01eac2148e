import { identityOf, observationOf } from '@cairn/tree-store';
import { type CollectDeps, collect, type ObservedFolder } from './collect.ts';
import { IGNORE_FILE } from './ignore-rules.ts';

/** Files in one folder, above which it is not worth listing it once more to be early. */
const MAX_ITEMS = 2000;
/** One save changes few files. */
const MAX_EDITS = 4;

/**
 * Whether all that differs in these folders is new bytes in files that are known: written in place, or renamed over the
 * old ones. Such a save has no other half that is still to come. Nothing came under a new name, went, was emptied (to be
 * written anew, perhaps), or has come from elsewhere; and something does differ.
 */
export async function areOnlyEdits(deps: CollectDeps, paths: ReadonlySet<string>): Promise<boolean> {
  const { local } = deps;
  for (const path of paths) {
    const node = local.findByPath(path);
    let items = 0;
    for (const _id of node === undefined ? [] : local.children(node.entryId))
      if (++items > MAX_ITEMS) return false;
  }
  const collection = await collect(deps, { paths, recursive: false, newcomers: 'leave' });
  if (collection.gone.size + collection.unreadable.size + collection.again.size > 0) return false;
  let edits = 0;
  for (const folder of collection.folders.values()) {
    const here = countEdits(deps, folder);
    if (here === null) return false;
    edits += here;
  }
  return edits > 0 && edits <= MAX_EDITS;
}

/** Files with new bytes; `null` where something else differs. */
function countEdits({ local, isHeld }: CollectDeps, folder: ObservedFolder): number | null {
  const node = local.findByPath(folder.path);
  if (node === undefined || node.identity !== folder.identity || node.state !== 'known') return null;
  let edits = 0;
  let known = 0;
  for (const id of local.children(node.entryId)) {
    known++;
    const child = local.sketch(id);
    const item = child === undefined ? undefined : folder.items.get(child.name);
    if (child === undefined || item === undefined || child.kind !== item.kind || child.observation === null)
      return null;
    const { identity, fingerprint, sizeBytes } = item.status;
    const isSame = identityOf(child.observation) === identity;
    if (item.kind !== 'file') {
      if (!isSame) return null;
      continue;
    }
    if (child.observation === observationOf({ state: 'known', sizeBytes, identity, fingerprint })) continue;
    if (sizeBytes === 0 || isHeld(child) || item.name === IGNORE_FILE) return null;
    if (!isSame) for (const _other of local.allByIdentity(identity)) return null;
    edits++;
  }
  return known === folder.items.size ? edits : null;
}
