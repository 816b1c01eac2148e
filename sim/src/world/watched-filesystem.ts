import type { Filesystem, ReadHandle, TemporaryFile } from '@cairn/filesystem';
import { isCairnError } from '@cairn/model';
import type { Draw } from '../random.ts';
import type { Statistics } from '../statistics.ts';
import type { Trace } from '../trace.ts';
import type { Timeline } from './timeline.ts';

const CHANGING: ReadonlySet<string> = new Set([
  'place',
  'makeFolder',
  'makeLink',
  'move',
  'displace',
  'removeFolder',
  'setAttributes',
]);

export interface WatchedOptions {
  readonly device: string;
  readonly trace: Trace;
  readonly statistics: Statistics;
  readonly timeline: Timeline;
  /** A slow disk: that percent of the calls take up to some milliseconds, in which others act. */
  readonly slowPercent: number;
  readonly draw: Draw;
}

/** The port as the engine gets it: every call is traced, errors are counted, and slow disks are slow. */
export function watchFilesystem(filesystem: Filesystem, options: WatchedOptions): Filesystem {
  const { device, trace, statistics, timeline, slowPercent, draw } = options;

  async function call<Result>(name: string, label: string, run: () => Promise<Result>): Promise<Result> {
    if (slowPercent > 0 && draw.chance(slowPercent)) await timeline.timers.sleep(draw.below(40) / 10);
    try {
      const result = await run();
      trace.note(`${device} ${name} ${label}`);
      if (CHANGING.has(name)) statistics.count(`disk:${name}`);
      return result;
    } catch (error) {
      const code = isCairnError(error) ? error.code : String(error);
      trace.note(`${device} ${name} ${label} ! ${code}`);
      if (isCairnError(error)) statistics.count(`disk:${name}:${code}`);
      throw error;
    }
  }

  function watchHandle(handle: ReadHandle, path: string): ReadHandle {
    return {
      status: () => handle.status(),
      read: (into, position) => call('read', `${path}@${position}`, () => handle.read(into, position)),
      close: () => handle.close(),
    };
  }

  function watchTemporary(temporary: TemporaryFile, name: string): TemporaryFile {
    if (temporary.existingBytes > 0) statistics.count('disk:temporary-resumed');
    return {
      existingBytes: temporary.existingBytes,
      read: (into, position) => temporary.read(into, position),
      write: (bytes, position) =>
        call('write', `${name}@${position}`, () => temporary.write(bytes, position)),
      truncate: (sizeBytes) => temporary.truncate(sizeBytes),
      sync: (attributes) => call('sync', name, () => temporary.sync(attributes)),
      rename: (newName) =>
        call('rename', `${name} ⇒ ${newName}`, async () => {
          await temporary.rename(newName);
          statistics.count('disk:received-ahead');
        }),
      close: () => temporary.close(),
      discard: () => temporary.discard(),
    };
  }

  const originals = new WeakMap<TemporaryFile, TemporaryFile>();
  return {
    capabilities: filesystem.capabilities,
    list: (path) => call('list', path, () => filesystem.list(path)),
    status: (path) => call('status', path, () => filesystem.status(path)),
    openRead: (path) =>
      call('openRead', path, async () => watchHandle(await filesystem.openRead(path), path)),
    openTemporary: (name) =>
      call('openTemporary', name, async () => {
        const original = await filesystem.openTemporary(name);
        const watched = watchTemporary(original, name);
        originals.set(watched, original);
        return watched;
      }),
    removeOldTemporaries: (olderThanMs, prefix) => filesystem.removeOldTemporaries(olderThanMs, prefix),
    freeBytes: () => filesystem.freeBytes(),
    place: (temporary, path, expected, attributes) =>
      call('place', path, () =>
        filesystem.place(originals.get(temporary) ?? temporary, path, expected, attributes),
      ),
    makeFolder: (path) => call('makeFolder', path, () => filesystem.makeFolder(path)),
    makeLink: (path, target, expected) =>
      call('makeLink', path, () => filesystem.makeLink(path, target, expected)),
    move: (from, to, identity) => call('move', `${from} ⇒ ${to}`, () => filesystem.move(from, to, identity)),
    displace: (path, expected) => call('displace', path, () => filesystem.displace(path, expected)),
    removeFolder: (path) => call('removeFolder', path, () => filesystem.removeFolder(path)),
    setAttributes: (path, attributes, expected) =>
      call('setAttributes', path, () => filesystem.setAttributes(path, attributes, expected)),
    syncFolders: (paths) => call('syncFolders', '', () => filesystem.syncFolders(paths)),
    listRescued: () => filesystem.listRescued(),
    removeOldRescued: (olderThanMs, keepBytes) => filesystem.removeOldRescued(olderThanMs, keepBytes),
    readMarker: () => call('readMarker', '', () => filesystem.readMarker()),
    writeMarker: (text) => call('writeMarker', '', () => filesystem.writeMarker(text)),
    replaceMarker: (expected, text) =>
      call('writeMarker', '', () => filesystem.replaceMarker(expected, text)),
    watch: (onHint, onStir) => filesystem.watch(onHint, onStir),
    ...(filesystem.listAhead && { listAhead: filesystem.listAhead }),
    close: () => filesystem.close(),
  };
}
