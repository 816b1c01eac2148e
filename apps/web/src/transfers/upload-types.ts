import type { EntryId } from '@cairn/model';

/** The folder that something is uploaded into. */
export interface UploadParent {
  readonly entryId: EntryId;
  readonly path: string;
}

/** Something that was dropped, chosen or pasted. */
export interface DroppedItem {
  readonly kind: 'file' | 'folder';
  /** With `/` between names, below where it was dropped; never starts with one. */
  readonly relativePath: string;
  /** Files only. */
  readonly file?: File;
  /** Where the browser gives one: with it, the upload goes on by itself after a reload. */
  readonly handle?: FileSystemFileHandle;
  /** What was dropped or chosen as a whole; its permission is that of everything in it. */
  readonly root?: FileSystemHandle;
}

/** What to do about a file that is there already. */
export type ClashPolicy = 'ask' | 'replace' | 'keep-both' | 'skip';

export type UploadState =
  | 'waiting'
  /** It is compared with what the server has under its name. */
  | 'hashing'
  | 'sending'
  /** All its bytes are on their way or there; it appears among the files next. */
  | 'committing'
  /** The name is taken; the person is asked. */
  | 'asking'
  | 'done'
  | 'skipped'
  | 'failed'
  /** After a reload: the browser does not give the file again by itself. */
  | 'needs-file'
  | 'needs-permission';

/** How it ended, where that is not plain. */
export type UploadNote = 'unchanged' | 'replaced' | 'renamed' | 'conflict-copy';

export interface UploadFailure {
  /** Stable code of a CairnError. */
  readonly code: string;
  /** For a person. */
  readonly message: string;
}

/** One file or empty folder to upload, as the worker gets it. */
export interface UploadJob {
  readonly id: number;
  readonly kind: 'file' | 'folder';
  readonly relativePath: string;
  readonly parent: UploadParent;
  readonly policy: ClashPolicy;
  readonly file?: File;
  readonly handle?: FileSystemFileHandle;
}

/** What became of a job since the last report. */
export interface JobReport {
  readonly id: number;
  readonly state: UploadState;
  /** Of the file, read and either sent or known to be on the server. */
  readonly doneBytes: number;
  readonly note?: UploadNote;
  readonly failure?: UploadFailure;
  /** While asking: when what is there was last changed, and its size. */
  readonly clash?: { readonly modifiedAtMs: number | null; readonly sizeBytes: number | null };
}

export type EngineState = 'idle' | 'running' | 'paused' | 'unreachable' | 'signed-out';

export interface EngineReport {
  readonly state: EngineState;
  /** Bytes of packs that the server took, since the worker was started. */
  readonly sentBytes: number;
  /** Plain bytes that the server had already. */
  readonly skippedBytes: number;
}

export type ToWorker =
  | { readonly type: 'start'; readonly spaceId: string; readonly rootId: string; readonly deviceName: string }
  | { readonly type: 'add'; readonly jobs: readonly UploadJob[] }
  | { readonly type: 'cancel'; readonly ids: readonly number[] }
  | { readonly type: 'answer'; readonly ids: readonly number[]; readonly policy: ClashPolicy }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  /** The network is back, or the person does not want to wait. */
  | { readonly type: 'kick' };

export interface FromWorker {
  readonly type: 'report';
  readonly jobs: readonly JobReport[];
  readonly engine: EngineReport;
}
