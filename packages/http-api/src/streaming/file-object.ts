import type { Entry, FileEntry, LinkEntry } from '@cairn/model';
import type { FileObject, VersionObject } from '@cairn/protocol';
import type { NamedVersion } from '@cairn/services';

/** An entry as scripts see it. */
export function toFileObject(entry: Entry, path: string): FileObject {
  const { entryId, parentId, kind, name, sequence } = entry;
  const common = { entryId, parentId, kind, name, path, sequence };
  if (entry.kind === 'file') {
    const { versionId, executable, modifiedAtUs, content } = entry;
    const { sizeBytes, contentId } = content;
    return { ...common, versionId, executable, modifiedAtUs, sizeBytes, contentId, ...markOf(entry) };
  }
  if (entry.kind === 'link') {
    const { versionId, modifiedAtUs, target } = entry;
    return { ...common, versionId, modifiedAtUs, target, ...markOf(entry) };
  }
  return entry.conflictPolicy === undefined ? common : { ...common, conflictPolicy: entry.conflictPolicy };
}

function markOf({ conflictOf }: FileEntry | LinkEntry): Pick<FileObject, 'conflictOf'> {
  return conflictOf === undefined ? {} : { conflictOf };
}

export function childPath(folderPath: string, name: string): string {
  return folderPath === '/' ? `/${name}` : `${folderPath}/${name}`;
}

/** A version as scripts see it. */
export function toVersionObject(version: NamedVersion): VersionObject {
  const { content, entryId: _entryId, ...rest } = version;
  return { ...rest, sizeBytes: content?.sizeBytes ?? 0, contentId: content?.contentId ?? null };
}
