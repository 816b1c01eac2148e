import type { Environment } from '@cairn/environment';
import type { Filesystem } from '@cairn/filesystem';
import { createOrderedId, type EntryId, isCairnError } from '@cairn/model';
import type { LocalNode } from '@cairn/planner';
import { descendantsIn, foldersOfOtherNames, joinPath, type LocalTree, parentPath } from '../local-tree.ts';
import type { Selection } from '../selection.ts';
import {
  type CollectDeps,
  type Collection,
  type CollectRequest,
  collect,
  type UnsyncedReason,
} from './collect.ts';
import { findHiddenMoves, type HiddenMoves, type LeftOutPlace } from './hidden-moves.ts';
import { IGNORE_FILE, type IgnoreRules, parseIgnoreRules } from './ignore-rules.ts';
import { type Matching, match } from './match.ts';
import { areOnlyEdits } from './plain-edits.ts';

/** Longest `.cairnignore` that is read, in bytes. */
const MAX_IGNORE_BYTES = 1024 * 1024;
/** How often a scan is widened to folders that changed meanwhile before absence is believed. */
const MAX_WIDENINGS = 5;

export interface ScanResult {
  readonly changed: boolean;
  /** Folders that have to be looked at again soon. */
  readonly again: ReadonlySet<string>;
  /** Folders that went along with one around them and were not looked at yet; what is known so far can be worked on. */
  readonly later: ReadonlySet<string>;
  /** The ignore rules changed: everything has to be scanned. */
  readonly rulesChanged: boolean;
  /** What could not be read is not where it was: everything has to be looked at. */
  readonly lost: boolean;
  readonly folders: number;
  readonly items: number;
}

const NOTHING_SEEN: ScanResult = {
  changed: false,
  again: new Set(),
  later: new Set(),
  rulesChanged: false,
  lost: false,
  folders: 0,
  items: 0,
};

export interface Scanner {
  readonly rules: IgnoreRules;
  /** What is on disk but not synced, by path. */
  readonly unsynced: ReadonlyMap<string, UnsyncedReason>;
  hasUnreadable(): boolean;
  /** Reads the rules of the root; call before the first scan. */
  loadRules(): Promise<boolean>;
  scan(request: CollectRequest): Promise<ScanResult>;
  /** Whether all that differs in these folders are saves that are whole as they are (`plain-edits.ts`); concludes nothing. */
  areOnlyEdits(paths: ReadonlySet<string>): Promise<boolean>;
  /**
   * Folders whose own times changed since they were listed: much cheaper than a scan, and finds everything that came,
   * went or was renamed, though not what was rewritten in place.
   */
  findChangedFolders(): Promise<string[]>;
}

interface ScannerDeps {
  readonly filesystem: Filesystem;
  readonly local: LocalTree;
  readonly environment: Environment;
  readonly selection: Selection;
  isHeld(file: { readonly entryId: EntryId }): boolean;
  /** A folder that is known was moved here. */
  folderMoved(entryId: EntryId, from: string | null, to: string | null): void;
  /** Forgets what was agreed about these entries and all below them: the rules leave them alone from now on. */
  leaveAlone(entryIds: readonly EntryId[]): void;
  /** Folders hinted at since the last call; emptied by it. Waits a little so that both ends of a move are in. */
  takeLateHints(): Promise<ReadonlySet<string>>;
}

/** Turns what is on disk into the local tree. Only a complete, readable listing makes anything disappear. */
export function createScanner(deps: ScannerDeps): Scanner {
  const { filesystem, local, environment, selection } = deps;
  let rules = parseIgnoreRules('');
  let rulesText = '';
  const unsynced = new Map<string, UnsyncedReason>();
  /** What each folder was like when it was last listed, for as long as nothing else is known. */
  const listed = new Map<string, string>();

  async function readRules(): Promise<string> {
    const status = await filesystem.status(IGNORE_FILE);
    if (status === null || status.kind !== 'file') return '';
    const handle = await filesystem.openRead(IGNORE_FILE);
    try {
      const bytes = new Uint8Array(Math.min(status.sizeBytes, MAX_IGNORE_BYTES));
      let length = 0;
      while (length < bytes.length) {
        const count = await handle.read(bytes.subarray(length), length);
        if (count === 0) break;
        length += count;
      }
      return new TextDecoder().decode(bytes.subarray(0, length));
    } finally {
      await handle.close();
    }
  }

  async function loadRules(): Promise<boolean> {
    let text = '';
    try {
      text = await readRules();
    } catch (error) {
      // Unreadable rules: keep those we have, rather than sync what should be left alone.
      environment.log.warn('scan.rules-unreadable', { error: String(error) });
      return false;
    }
    if (text === rulesText) return false;
    rulesText = text;
    rules = parseIgnoreRules(text);
    return true;
  }

  function look(): CollectDeps {
    return {
      filesystem,
      local,
      rules,
      isDeselected: (path) => selection.isOut(path),
      isHeld: deps.isHeld,
      nowMs: environment.clock.now(),
    };
  }

  async function scan(request: CollectRequest): Promise<ScanResult> {
    const createEntryId = () =>
      createOrderedId<EntryId>(environment.clock.now(), environment.random.bytes(16));
    const paths = new Set(request.paths);
    selection.refresh();
    // Where rules or choices go by the path, what is below a folder that moved may be another's business now.
    const isPlain = !request.recursive && rules.areBuiltIn && selection.edges().length === 0;
    const newcomers = isPlain ? 'carry' : 'read';
    const ahead = request.recursive ? (filesystem.takeAhead?.() ?? null) : null;
    let collection: Collection;
    try {
      collection = await collect(look(), { ...request, paths, newcomers, ahead });
    } finally {
      // It is worth something for the first look at everything only.
      ahead?.close();
    }
    let matching = await match({ filesystem, local, createEntryId, isHeld: deps.isHeld }, collection);
    if (collection.carried.size > 0 && !isOnlyMoves(collection, matching)) {
      collection = await collect(look(), { ...request, paths });
      matching = await match({ filesystem, local, createEntryId, isHeld: deps.isHeld }, collection);
    }
    const again = new Set<string>();
    for (let widening = 0; matching.vanished.length > 0 && widening < MAX_WIDENINGS; widening++) {
      const late = await deps.takeLateHints();
      const before = paths.size;
      for (const path of late) paths.add(path);
      if (late.size === 0) break;
      if (paths.size === before && widening > 0) {
        // They keep changing: what is known now is used, and they are looked at again.
        for (const path of late) again.add(path);
        break;
      }
      collection = await collect(look(), { ...request, paths });
      matching = await match({ filesystem, local, createEntryId, isHeld: deps.isHeld }, collection);
    }

    let hidden: HiddenMoves = { entryIds: [], moving: matching.vanished.length > 0 && !request.recursive };
    for (const path of hidden.moving ? await whereItMayBe(matching.vanished) : []) paths.add(path);
    if (!hidden.moving) hidden = await findHidden(matching.vanished, collection);
    for (let looks = 0; hidden.moving && looks < MAX_WIDENINGS; looks++) {
      if (looks > 0) for (const path of await deps.takeLateHints()) paths.add(path);
      collection = await collect(look(), { ...request, paths });
      matching = await match({ filesystem, local, createEntryId, isHeld: deps.isHeld }, collection);
      hidden = await findHidden(matching.vanished, collection);
    }
    const leavesAlone = hidden.entryIds.length + matching.leftAlone.length > 0;
    // By rules that are no more, nothing is left alone: a move into a folder that is in sight by now is a move.
    if (leavesAlone && (await loadRules())) return { ...NOTHING_SEEN, rulesChanged: true };

    const moved = matching.present
      .filter(isMovedFolder)
      .map(({ entryId }) => ({ entryId, from: local.path(entryId) }));
    for (const node of matching.present) local.put(node);
    for (const { entryId, from } of moved) deps.folderMoved(entryId, from, local.path(entryId));
    const later = new Set<string>();
    for (const id of collection.carried.values()) for (const path of foldersWithin(id)) later.add(path);
    for (const node of matching.present) for (const path of foldersOfOtherNames(local, node)) again.add(path);
    // Both trees at once, before any plan: what is left alone must never look removed.
    deps.leaveAlone([...hidden.entryIds, ...matching.leftAlone]);
    for (const id of [...hidden.entryIds, ...matching.vanished]) local.deleteSubtree(id);
    for (const id of matching.leftAlone) local.deleteSubtree(id);
    if (request.recursive) dropOrphans();
    let changed = matching.present.length + matching.vanished.length + matching.leftAlone.length > 0;
    for (const id of matching.unknown) {
      const node = local.get(id);
      if (node !== undefined && node.state !== 'unknown') {
        local.put({ ...node, state: 'unknown' });
        changed = true;
      }
    }

    let items = 0;
    let lost = false;
    if (request.recursive) listed.clear();
    const looked = [...collection.quiet.values(), ...collection.folders.values()];
    for (const folder of looked) {
      items += typeof folder.items === 'number' ? folder.items : folder.items.size;
      if (folder.fingerprint === null) listed.delete(folder.path);
      else listed.set(folder.path, folder.fingerprint);
      if (forgetUnsynced(folder.path, folder.left)) lost = true;
      for (const [name, reason] of folder.left) unsynced.set(joinPath(folder.path, name), reason);
    }
    for (const path of collection.gone) if (forgetUnsynced(path, null)) lost = true;
    for (const path of collection.unreadable.keys()) unsynced.set(path === '' ? '/' : path, 'unreadable');
    for (const { path } of looked) {
      const shown = path === '' ? '/' : path;
      if (unsynced.get(shown) === 'unreadable') unsynced.delete(shown);
    }
    // A folder that became readable or visible again is known again.
    for (const folder of collection.folders.values()) {
      const node = local.findByPath(folder.path);
      if (node !== undefined && node.state === 'unknown' && !matching.unknown.includes(node.entryId)) {
        local.put({ ...node, state: 'known' });
        changed = true;
      }
    }
    const rulesChanged = looked.some(({ path }) => path === '') && (await loadRules());
    return {
      changed,
      again: new Set([...again, ...collection.again, ...matching.held]),
      later,
      rulesChanged,
      lost: lost && !request.recursive,
      folders: looked.length,
      items,
    };
  }

  /**
   * Whether each folder that was carried along is known to be just that, and nothing is missing anywhere that may have
   * been put into one.
   */
  function isOnlyMoves(collection: Collection, { present, vanished, unknown, leftAlone }: Matching): boolean {
    if (vanished.length + unknown.length + leftAlone.length > 0) return false;
    const ids = new Set(present.map(({ entryId }) => entryId));
    return [...collection.carried.values()].every((id) => ids.has(id));
  }

  function* foldersWithin(top: EntryId): Generator<string> {
    for (const id of [top, ...descendantsIn(local, top)]) {
      const path = local.sketch(id)?.kind === 'folder' ? local.path(id) : null;
      if (path !== null) yield path;
    }
  }

  /** Places that this device leaves out, as they were just seen and, elsewhere, last seen. */
  function* leftOutPlaces({ folders, quiet }: Collection): Generator<LeftOutPlace> {
    for (const { path, left } of [...folders.values(), ...quiet.values()])
      for (const [name, reason] of left) yield { path: joinPath(path, name), reason, isNews: true };
    for (const [path, reason] of unsynced)
      if (!folders.has(parentPath(path))) yield { path, reason, isNews: false };
  }

  /** Folders with places that are left out, whose hints may be late: there, nobody would notice what comes. */
  async function whereItMayBe(vanished: readonly EntryId[]): Promise<readonly string[]> {
    if (!rules.areBuiltIn && vanished.some((id) => local.sketch(id)?.kind === 'folder'))
      return [...(await findChangedFolders()), ...selection.edges()];
    return selection.edges();
  }

  async function findHidden(vanished: readonly EntryId[], collection: Collection): Promise<HiddenMoves> {
    if (vanished.length === 0) return { entryIds: [], moving: false };
    return findHiddenMoves(deps, vanished, leftOutPlaces(collection));
  }

  function isMovedFolder({ entryId, kind, parentId, name }: LocalNode): boolean {
    const before = kind === 'folder' ? local.sketch(entryId) : undefined;
    return before !== undefined && (before.parentId !== parentId || before.name !== name);
  }

  async function findChangedFolders(): Promise<string[]> {
    const changed: string[] = [];
    for (const { entryId, kind } of [...local.sketches()]) {
      if (kind !== 'folder') continue;
      const path = local.path(entryId);
      if (path === null) continue;
      const before = listed.get(path);
      try {
        if (before !== undefined && (await filesystem.status(path))?.fingerprint === before) continue;
      } catch (error) {
        if (!isCairnError(error, 'local-io')) throw error;
      }
      changed.push(path);
    }
    return changed;
  }

  /** Nodes whose folder is not known cannot be anywhere. */
  function dropOrphans(): void {
    const orphans: EntryId[] = [];
    // Nodes are mostly gone through folder by folder.
    let present: EntryId | null = null;
    for (const sketch of local.sketches()) {
      const { parentId } = sketch;
      if (parentId === null || parentId === present) continue;
      if (local.sketch(parentId) === undefined) orphans.push(sketch.entryId);
      else present = parentId;
    }
    for (const entryId of orphans) local.deleteSubtree(entryId);
  }

  /**
   * Forgets what is not so any more, now that the folder was looked at: what was noted about its children that are not
   * in `left` (all, when `null`), and about anything in what is no folder any more. Returns whether something that could not be
   * read went with a folder that is not there any more: where that is now, and whether it can be read there, only a
   * look at everything tells.
   */
  function forgetUnsynced(folder: string, left: ReadonlyMap<string, unknown> | null): boolean {
    if (unsynced.size === 0) return false;
    const prefix = folder === '' ? '' : `${folder}/`;
    const folders = new Map<string, boolean>();
    const isFolder = (name: string): boolean => {
      const known = folders.get(name) ?? local.findByPath(joinPath(folder, name))?.kind === 'folder';
      folders.set(name, known);
      return known;
    };
    let lost = false;
    for (const [path, reason] of unsynced) {
      if (path === '/' || !path.startsWith(prefix)) continue;
      const rest = path.slice(prefix.length);
      const slash = rest.indexOf('/');
      const name = slash === -1 ? rest : rest.slice(0, slash);
      if (left !== null && (left.has(name) || (slash !== -1 && isFolder(name)))) continue;
      unsynced.delete(path);
      if (reason === 'unreadable' && (slash !== -1 || left === null)) lost = true;
    }
    return lost;
  }

  return {
    get rules() {
      return rules;
    },
    unsynced,
    hasUnreadable() {
      for (const reason of unsynced.values()) if (reason === 'unreadable') return true;
      return false;
    },
    loadRules,
    scan,
    areOnlyEdits: (paths) => areOnlyEdits(look(), paths),
    findChangedFolders,
  };
}
