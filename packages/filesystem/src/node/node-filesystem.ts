import { realpathSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { Environment } from '@cairn/environment';
import type { Filesystem, ListingAhead } from '../filesystem.ts';
import { localError, rootMissingError } from '../local-errors.ts';
import { openDescriptorFolderAccess } from './descriptor-folder-access.ts';
import type { FolderAccess } from './folder-access.ts';
import { syncFolders } from './folder-sync.ts';
import { type FolderWatchState, startFolderWatch, type WatchCalls } from './folder-watch.ts';
import { findFreeBytes } from './free-bytes.ts';
import { listAhead, MAX_ITEMS_AHEAD } from './list-ahead.ts';
import { readMarker, replaceMarker, writeMarker } from './marker-file.ts';
import { openPathFolderAccess } from './path-folder-access.ts';
import { placeFile, placeLink } from './placement.ts';
import { probeDisk } from './probe-disk.ts';
import { listFolder, openForReading, statusOf } from './reading.ts';
import { displace, makeFolder, move, removeFolder, setAttributes } from './rearranging.ts';
import { createRescueArea } from './rescue-area.ts';
import { holdPrivate, type RootContext } from './root-context.ts';
import { createTemporaryFiles } from './temporary-files.ts';

export interface NodeFilesystemOptions {
  /** Absolute path of an existing folder. */
  readonly root: string;
  readonly environment: Environment;
}

/**
 * Opens a real folder as the {@link Filesystem} port. Makes `.cairn` in it where it is missing, and finds out
 * what its disk can do.
 *
 * Rejects with `root-missing` when there is no such folder, `local-io` when it cannot be used, `local-disk-full`.
 */
export function openNodeFilesystem(options: NodeFilesystemOptions): Promise<Filesystem> {
  const onLinux = process.platform === 'linux';
  return openWithAccess(options, onLinux ? openDescriptorFolderAccess : openPathFolderAccess, {});
}

interface OpenFacts {
  readonly hardLinks?: boolean;
  readonly watchCalls?: WatchCalls;
  readonly maxItemsAhead?: number;
}

/** As {@link openNodeFilesystem}, with the parts that differ between systems chosen by the caller: for tests. */
export async function openWithAccess(
  options: NodeFilesystemOptions,
  openAccess: (root: string) => FolderAccess,
  { watchCalls, maxItemsAhead = MAX_ITEMS_AHEAD, ...facts }: OpenFacts,
): Promise<Filesystem> {
  const { environment } = options;
  if (!isAbsolute(options.root)) throw new TypeError('the root must be an absolute path');
  const root = resolveRoot(options.root);
  const access = openAccess(root);
  let context: RootContext;
  try {
    context = { ...createContext(root, access, environment), ...facts };
  } catch (error) {
    access.close();
    throw error;
  }
  const temporaries = createTemporaryFiles(context);
  const rescue = createRescueArea(context);
  const watches = new Set<FolderWatchState>();
  const listings = new Set<ListingAhead>();
  let closed = false;

  return {
    capabilities: context.capabilities,
    list: (path) => listFolder(context, path),
    status: async (path) => statusOf(context, path),
    openRead: async (path) => openForReading(context, path),
    openTemporary: async (name) => temporaries.open(name),
    removeOldTemporaries: async (olderThanMs, prefix) => temporaries.removeOld(olderThanMs, prefix),
    freeBytes: () => findFreeBytes(root),
    place: async (temporary, path, expected, attributes) =>
      placeFile(context, rescue, temporaries.own(temporary), path, expected, attributes),
    makeFolder: async (path) => makeFolder(context, path),
    makeLink: async (path, target, expected) => placeLink(context, rescue, path, target, expected),
    move: async (from, to, expectedIdentity) => move(context, rescue, from, to, expectedIdentity),
    displace: async (path, expected) => displace(context, rescue, path, expected),
    removeFolder: async (path) => removeFolder(context, path),
    setAttributes: async (path, attributes, expected) => setAttributes(context, path, attributes, expected),
    syncFolders: (paths) => syncFolders(context, paths, rescue),
    listRescued: async () => rescue.list(),
    removeOldRescued: (olderThanMs, keepBytes) => rescue.removeOld(olderThanMs, keepBytes),
    readMarker: async () => readMarker(context),
    writeMarker: async (text) => writeMarker(context, text),
    replaceMarker: async (expected, text) => replaceMarker(context, expected, text),
    async watch(onHint, onStir) {
      context.access.checkRoot();
      const watch = startFolderWatch(context, onHint, () => watches.delete(watch), watchCalls, onStir);
      watches.add(watch);
      return watch;
    },
    listAhead() {
      const { caseSensitive, executableBit } = context.capabilities;
      const byDescriptor = openAccess === openDescriptorFolderAccess;
      const job = { root, byDescriptor, caseSensitive, executableBit, maxItems: maxItemsAhead };
      const listing = listAhead(job, () => environment.clock.now());
      listings.add(listing);
      return listing;
    },
    async close() {
      if (closed) return;
      closed = true;
      for (const listing of listings) listing.close();
      for (const watch of [...watches]) watch.close();
      temporaries.closeAll();
      access.close();
    },
  };
}

/** The root itself may be reached through links; nothing below it may. */
function resolveRoot(root: string): string {
  try {
    return realpathSync.native(root);
  } catch (error) {
    throw rootMissingError(root, error);
  }
}

function createContext(root: string, access: FolderAccess, environment: Environment): RootContext {
  let counter = 0;
  try {
    const folder = holdPrivate({ access });
    const facts = probeDisk(folder);
    folder.release();
    return { root, access, environment, ...facts, nextCounter: () => ++counter };
  } catch (error) {
    throw localError(error, 'prepare', '.cairn');
  }
}
