import type { EntryId, VersionId } from '@cairn/model';
import type { FileObject } from '@cairn/protocol';

/** What is shown: a file as it is, or one of its versions. */
export interface PreviewedFile {
  readonly entryId: EntryId;
  readonly versionId: VersionId | undefined;
  readonly name: string;
  readonly sizeBytes: number;
  /** Microseconds since 1970. */
  readonly modifiedAtUs: number | undefined;
}

export function previewedFileOf(entry: FileObject): PreviewedFile {
  const { entryId, versionId, name, sizeBytes = 0, modifiedAtUs } = entry;
  return { entryId, versionId, name, sizeBytes, modifiedAtUs };
}
