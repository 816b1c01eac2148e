import { chooseProfile, describeContent } from '@cairn/content';
import {
  CairnError,
  type Change,
  type ChangeConflict,
  checkName,
  conflictCopyName,
  createId,
  type EntryId,
  type FileContent,
  foldName,
  isCairnError,
} from '@cairn/model';
import type { UploadNote } from '../upload-types.ts';
import type { ActiveJob } from './active-job.ts';
import { type ChangeQueue, createChangeQueue } from './change-queue.ts';
import type { UploadEngineOptions } from './engine-options.ts';
import { createFileSource, unreadable } from './file-source.ts';
import { createRemoteFolders, freeName, type RemoteFolder, type Sibling } from './remote-folders.ts';

/** Small files are opened, read and asked about side by side: each waits more than it works. */
const FILES_AT_ONCE = 6;
const SMALL_FILE_BYTES = 1024 * 1024;
const MAX_ATTEMPTS = 4;
const KEEPS_CHANGING = 'the folder keeps changing on the server; try again in a while';
/** Below this size, a file was surely cut by the profile of small ones. */
const ONE_PROFILE_BYTES = 16 * 1024 * 1024;

export interface UploadRoundOptions
  extends Pick<UploadEngineOptions, 'space' | 'files' | 'environment' | 'platform' | 'deviceName'> {
  /** The next job that waits. */
  next(): ActiveJob | null;
  /** Resolves when work may go on. */
  gate(): Promise<void> | undefined;
  onProgress(): void;
  /** The job is to be begun again. */
  again(job: ActiveJob): void;
}

/** One session of packs and changesets: until no job is left, or something fails that concerns all of them. */
export interface UploadRound {
  /** Resolves with what concerned all jobs, or `null` when all that waited are through. */
  run(): Promise<{ readonly error: unknown } | null>;
  readonly sentBytes: number;
  readonly skippedBytes: number;
  /** Whether anything was committed or sent. */
  readonly hasProgressed: boolean;
}

export function createUploadRound(options: UploadRoundOptions): UploadRound {
  const { space, files, environment, platform } = options;
  const stop = new AbortController();
  const { signal } = stop;
  let failure: { readonly error: unknown } | null = null;
  let committed = 0;
  const upload = space.createUpload({ signal, onProgress: options.onProgress });
  const queue: ChangeQueue = createChangeQueue({
    space,
    upload,
    signal,
    createRandomBytes: (count) => environment.random.bytes(count),
    schedule: (durationMs, callback) => environment.timers.schedule(durationMs, callback),
    onFailure: fail,
  });
  /** Folders that are not committed yet, with the jobs that are about them. */
  const newFolders = new Map<EntryId, ActiveJob[]>();
  const newId = (): EntryId => createId<EntryId>(environment.random.bytes(16));
  const folders = createRemoteFolders({
    files,
    createEntryId: newId,
    onNewFolder({ entryId, parentId, name }) {
      queue.put({
        change: { kind: 'create', entryId, parentId, name, entry: { kind: 'folder' } },
        sizeBytes: 0,
        isCancelled: () => false,
        onCommitted: () => {
          committed++;
          for (const job of settle(entryId)) job.finish(null);
        },
        // Somebody else made it, or what it is in is gone: everything is looked at again.
        onRefused: () => {
          folders.forget();
          for (const job of settle(entryId)) beginAgain(job, KEEPS_CHANGING);
        },
        onFailed: fail,
      });
      newFolders.set(entryId, []);
    },
  });

  function settle(entryId: EntryId): readonly ActiveJob[] {
    const jobs = newFolders.get(entryId) ?? [];
    newFolders.delete(entryId);
    return jobs;
  }

  function fail(error: unknown): void {
    if (failure !== null) return;
    failure = { error };
    stop.abort(error);
    upload.abort();
  }

  function beginAgain(job: ActiveJob, problem: string): void {
    job.attempts++;
    folders.forget();
    if (job.attempts >= MAX_ATTEMPTS) {
      job.fail(new CairnError('conflict', problem));
      return;
    }
    job.wait();
    options.again(job);
  }

  async function openFile(job: ActiveJob): Promise<File> {
    const { file, handle } = job.job;
    if (handle !== undefined) {
      try {
        return await handle.getFile();
      } catch (error) {
        if (file === undefined) throw unreadable(error);
      }
    }
    if (file === undefined)
      throw new CairnError('local-io', 'the file is not there any more; choose it again');
    return file;
  }

  function sourceOf(job: ActiveJob, file: File) {
    return createFileSource(file, {
      async gate() {
        await options.gate();
        signal.throwIfAborted();
        if (job.isCancelled) throw new CairnError('cancelled', 'the upload was cancelled');
      },
      onRead: (position) => job.advance(position),
    });
  }

  async function baseProfile(there: Sibling) {
    if ((there.sizeBytes ?? 0) < ONE_PROFILE_BYTES) return null;
    return (await files.getContent(there.entryId, signal)).content?.manifest.profile ?? null;
  }

  /** Whether the server has this very content under the name, so that there is nothing to ask or send. */
  async function isUnchanged(job: ActiveJob, file: File, there: Sibling): Promise<boolean> {
    if (there.kind !== 'file' || there.sizeBytes !== file.size || there.contentId === undefined) return false;
    job.enter('hashing');
    const profile = chooseProfile(file.size, await baseProfile(there));
    const content = await describeContent(platform, sourceOf(job, file), { profile, signal });
    return content.contentId === there.contentId;
  }

  async function sendContent(job: ActiveJob, file: File, base: Sibling | null): Promise<FileContent> {
    job.enter('sending');
    const profile = chooseProfile(file.size, base === null ? null : await baseProfile(base));
    const content = await upload.add(sourceOf(job, file), { profile });
    const { handle } = job.job;
    const after = handle === undefined ? file : await handle.getFile().catch(() => file);
    if (after.size !== content.sizeBytes || after.lastModified !== file.lastModified) {
      throw new CairnError('local-changed', 'the file changed while it was read; try again when it rests');
    }
    return content;
  }

  async function uploadFile(job: ActiveJob): Promise<void> {
    const names = job.job.relativePath.split('/');
    const name = checkName(names.pop() ?? '');
    const file = await openFile(job);
    const folder = await folders.resolve(job.job.parent, names, signal);
    const there = folder.children.get(foldName(name)) ?? null;
    if (there !== null) {
      if (there.kind === 'file' && (await isUnchanged(job, file, there))) return job.finish('unchanged');
      if (job.isCancelled) return;
      // The answer was about what was there then, not about what somebody else saved since.
      const isOtherNow = job.askedSequence !== null && job.askedSequence !== there.sequence;
      const asks = job.policy === 'ask' || (job.policy === 'replace' && isOtherNow);
      if (there.kind === 'file' && there.sequence !== null && asks) {
        job.askedSequence = there.sequence;
        const { modifiedAtUs, sizeBytes } = there;
        return job.ask({
          modifiedAtMs: modifiedAtUs === undefined ? null : Math.floor(modifiedAtUs / 1000),
          sizeBytes: sizeBytes ?? null,
        });
      }
      if (job.policy === 'skip') return job.skip();
    }
    const replaces =
      there !== null && there.kind === 'file' && there.sequence !== null && job.policy === 'replace';
    const modifiedAtUs = file.lastModified * 1000;
    if (replaces) {
      const content = await sendContent(job, file, there);
      const change: Change = {
        kind: 'update',
        entryId: there.entryId,
        baseSequence: there.sequence ?? 0,
        content,
        modifiedAtUs,
      };
      await commit(job, change, folder, there.name, content, 'replaced');
      return;
    }
    const free = there === null ? name : freeName(folder, name, false);
    const entryId = newId();
    // From now on nobody else of this upload takes the name.
    folder.children.set(foldName(free), { entryId, kind: 'file', name: free, sequence: null });
    try {
      const content = await sendContent(job, file, null);
      const change: Change = {
        kind: 'create',
        entryId,
        parentId: folder.entryId,
        name: free,
        entry: { kind: 'file', content, executable: false, modifiedAtUs },
      };
      await commit(job, change, folder, free, content, free === name ? null : 'renamed');
    } catch (error) {
      if (folder.children.get(foldName(free))?.entryId === entryId) folder.children.delete(foldName(free));
      throw error;
    }
  }

  function commit(
    job: ActiveJob,
    change: Change,
    folder: RemoteFolder,
    name: string,
    content: FileContent,
    note: UploadNote | null,
  ): Promise<void> {
    job.enter('committing');
    return queue.add({
      change,
      sizeBytes: content.sizeBytes,
      isCancelled: () => job.isCancelled,
      onCommitted({ entryId, sequence }) {
        committed++;
        const { contentId, sizeBytes } = content;
        folder.children.set(foldName(name), { entryId, kind: 'file', name, sequence, contentId, sizeBytes });
        job.finish(note);
      },
      onRefused: (conflict) => onRefused(job, change, folder, content, conflict),
      onFailed: (error) => {
        folders.forget();
        // Blocks that were there a moment ago were let go: sent again they are there.
        if (isCairnError(error, 'blocks-missing')) beginAgain(job, error.message);
        else job.fail(error);
      },
    });
  }

  function onRefused(
    job: ActiveJob,
    change: Change,
    folder: RemoteFolder,
    content: FileContent,
    { reason, current }: ChangeConflict,
  ): void {
    if (reason === 'stale-base' && current?.kind === 'file' && change.kind === 'update') {
      if (current.content.contentId === content.contentId) {
        job.finish('unchanged');
        return;
      }
      // Somebody saved another version since: the first one keeps the name, as everywhere.
      const at = environment.clock.now();
      const date = new Date(at).toISOString().slice(0, 10);
      let copyName = conflictCopyName(current.name, options.deviceName, date, 1);
      for (let counter = 2; folder.children.has(foldName(copyName)); counter++) {
        copyName = conflictCopyName(current.name, options.deviceName, date, counter);
      }
      const { entryId, baseSequence } = change;
      const create: Change = {
        kind: 'create',
        entryId: newId(),
        parentId: current.parentId ?? folder.entryId,
        name: copyName,
        entry: {
          kind: 'file',
          content,
          executable: false,
          modifiedAtUs: change.modifiedAtUs ?? at * 1000,
          conflictOf: { entryId, baseSequence, deviceName: options.deviceName, at },
        },
      };
      commit(job, create, folder, copyName, content, 'conflict-copy').catch(fail);
      return;
    }
    if (reason === 'not-allowed' || reason === 'cycle') {
      job.fail(new CairnError('conflict', 'the server does not allow it here: the folders are too deep'));
      return;
    }
    beginAgain(job, KEEPS_CHANGING);
  }

  async function uploadFolder(job: ActiveJob): Promise<void> {
    job.enter('committing');
    const folder = await folders.resolve(job.job.parent, job.job.relativePath.split('/'), signal);
    const jobs = newFolders.get(folder.entryId);
    if (jobs === undefined) job.finish(null);
    else jobs.push(job);
  }

  async function work(job: ActiveJob): Promise<void> {
    try {
      await options.gate();
      if (job.isCancelled || failure !== null) return;
      if (job.job.kind === 'folder') await uploadFolder(job);
      else await uploadFile(job);
    } catch (error) {
      if (failure !== null || job.isCancelled) return;
      if (isCairnError(error, 'local-io', 'local-changed', 'bad-name', 'not-found', 'not-a-folder')) {
        job.fail(error);
      } else if (isCairnError(error, 'blocks-missing')) {
        beginAgain(job, error.message);
      } else {
        fail(error);
      }
    }
  }

  async function runAll(): Promise<void> {
    const small = new Set<Promise<void>>();
    for (;;) {
      for (let job = options.next(); job !== null && failure === null; job = options.next()) {
        const size = job.job.file?.size ?? 0;
        if (job.job.kind === 'file' && size > SMALL_FILE_BYTES) {
          await Promise.all(small);
          await work(job);
          continue;
        }
        const working: Promise<void> = work(job).finally(() => small.delete(working));
        small.add(working);
        if (small.size >= FILES_AT_ONCE) await Promise.race(small);
      }
      await Promise.all(small);
      if (failure !== null) return;
      await queue.finish();
      const job = options.next();
      if (job === null) return;
      // It came meanwhile; what others did since is looked at again.
      await work(job);
    }
  }

  return {
    async run() {
      try {
        await runAll();
      } catch (error) {
        fail(error);
      }
      return failure;
    },
    get sentBytes() {
      return upload.sentBytes;
    },
    get skippedBytes() {
      return upload.skippedBytes;
    },
    get hasProgressed() {
      return committed > 0 || upload.sentBytes > 0;
    },
  };
}
