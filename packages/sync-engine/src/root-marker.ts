import type { Environment } from '@cairn/environment';
import type { Filesystem } from '@cairn/filesystem';
import { CairnError, createId, type EntryId, type SpaceId } from '@cairn/model';
import type { TreeStore } from '@cairn/tree-store';
import { forgetAgreements } from './execute/placing-notes.ts';

/** Name of the value in the tree store that the marker must agree with. */
const LINK_VALUE = 'linkId';
/** While the marker is being renewed: what it is to become. Until that is certain, either belongs to us. */
const NEXT_LINK_VALUE = 'nextLinkId';

interface Marker {
  readonly product: 'cairn';
  readonly spaceId: string;
  /** Random; ties this folder to one device's knowledge of it. */
  readonly linkId: string;
}

interface MarkerDeps {
  readonly filesystem: Filesystem;
  readonly trees: TreeStore;
  readonly spaceId: SpaceId;
  readonly environment: Environment;
}

/**
 * Proves at the start that the folder is the one this device knows. A folder without its marker is an unmounted
 * disk or an emptied folder until the user says otherwise: nothing may be concluded from what is not in it.
 * A folder and a tree store that do not belong together are merged by union.
 * @returns `known` for the folder that it was, `new` for one that was never linked, `merged` for one of which the store
 * proves nothing: the store was lost or is an older copy, or the folder is
 * @throws CairnError `root-missing`, `root-foreign`
 */
export async function claimRoot(deps: MarkerDeps): Promise<'known' | 'new' | 'merged'> {
  const { filesystem, trees, spaceId, environment } = deps;
  const known = trees.getValue(LINK_VALUE);
  const marker = parseMarker(await filesystem.readMarker());
  if (marker === null && known !== null) throw missingMarker();
  if (marker !== null && marker.spaceId !== spaceId) {
    throw new CairnError(
      'root-foreign',
      'this folder is linked to another space or account; choose an empty folder, or remove the link there first with "cairn sync remove"',
    );
  }
  if (marker !== null && isOurs(trees, marker)) return 'known';
  // A lost or older tree store, or a folder copied from elsewhere: what was agreed proves nothing here.
  forgetAgreements(trees);
  trees.local.clear();
  const linkId = createId(environment.random.bytes(16));
  await filesystem.writeMarker(writeOut({ product: 'cairn', spaceId, linkId }));
  trees.setValue(LINK_VALUE, linkId);
  trees.setValue(NEXT_LINK_VALUE, null);
  trees.flush();
  return marker === null ? 'new' : 'merged';
}

/**
 * Ties the folder to the tree store as it is from now on: a copy of the store from before will not be taken for what
 * is known about the folder, so nothing that it remembers and the folder lacks counts as deleted. To be called when
 * what the store says about absence changes (a selection), at the start, at the end, and now and then.
 * Changes nothing where the marker is not ours; `verifyRoot` tells.
 * @returns whether it was renewed
 * @throws CairnError `local-io`, `local-disk-full`, `local-permission` when the disk does not take it; the old link stays
 */
export async function renewLink({ filesystem, trees, spaceId, environment }: MarkerDeps): Promise<boolean> {
  const text = await filesystem.readMarker();
  const marker = parseMarker(text);
  if (text === null || marker === null || marker.spaceId !== spaceId || !isOurs(trees, marker)) return false;
  const linkId = createId(environment.random.bytes(16));
  trees.setValue(LINK_VALUE, marker.linkId);
  trees.setValue(NEXT_LINK_VALUE, linkId);
  trees.flushValues();
  if (!(await filesystem.replaceMarker(text, writeOut({ product: 'cairn', spaceId, linkId })))) return false;
  trees.setValue(LINK_VALUE, linkId);
  trees.setValue(NEXT_LINK_VALUE, null);
  return true;
}

/** The check while running, before anything is concluded from absence. */
export async function verifyRoot({ filesystem, trees }: MarkerDeps): Promise<void> {
  const marker = parseMarker(await filesystem.readMarker());
  if (marker === null || !isOurs(trees, marker)) throw missingMarker();
}

/** Makes sure the trees have the root folder itself. */
export async function noteRoot(
  { filesystem, trees }: Pick<MarkerDeps, 'filesystem' | 'trees'>,
  rootId: EntryId,
): Promise<void> {
  const status = await filesystem.status('');
  if (status === null) throw missingMarker();
  const known = trees.local.get(rootId);
  if (known?.identity === status.identity) return;
  trees.local.put({
    entryId: rootId,
    parentId: null,
    name: '',
    kind: 'folder',
    identity: status.identity,
    fingerprint: '',
    sizeBytes: 0,
    executable: false,
    modifiedAtUs: 0,
    content: null,
    target: null,
    state: 'known',
  });
}

function isOurs(trees: TreeStore, { linkId }: Marker): boolean {
  return linkId === trees.getValue(LINK_VALUE) || linkId === trees.getValue(NEXT_LINK_VALUE);
}

function writeOut(marker: Marker): string {
  return `${JSON.stringify(marker, null, 2)}\n`;
}

function parseMarker(text: string | null): Marker | null {
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return null;
    const { product, spaceId, linkId } = value as Record<string, unknown>;
    if (product !== 'cairn' || typeof spaceId !== 'string' || typeof linkId !== 'string') return null;
    return { product, spaceId, linkId };
  } catch {
    // A marker that cannot be read proves as little as none.
    return null;
  }
}

function missingMarker(): CairnError {
  return new CairnError(
    'root-missing',
    'the folder has lost its marker (.cairn/marker): the disk may be unmounted, or the folder replaced or emptied. Nothing was deleted anywhere. Bring the folder back, or link it anew with "cairn sync remove" and "cairn sync"',
  );
}
