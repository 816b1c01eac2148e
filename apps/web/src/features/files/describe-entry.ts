import type { FileObject } from '@cairn/protocol';
import { extensionOf } from '../../ui/file-kind.ts';
import { formatBytes, formatRelative, millisecondsOf } from '../../ui/format.ts';
import { t } from './strings.ts';

/** `Folder`, `PDF file`, `Link to …` */
export function describeKind(entry: FileObject): string {
  if (entry.kind === 'folder') return t('kindFolder');
  if (entry.kind === 'link') return t('kindLink', { target: entry.target ?? '' });
  const extension = extensionOf(entry.name);
  return extension === '' || extension.length > 8
    ? t('kindFile')
    : t('kindTyped', { type: extension.toUpperCase() });
}

export function describeModified(entry: FileObject): string {
  return entry.modifiedAtUs === undefined ? '' : formatRelative(millisecondsOf(entry.modifiedAtUs));
}

export function describeSize(entry: FileObject): string {
  return entry.kind === 'file' ? formatBytes(entry.sizeBytes) : '';
}

/** One line under a name: size and age. */
export function describeEntry(entry: FileObject): string {
  return [describeSize(entry) || describeKind(entry), describeModified(entry)]
    .filter((text) => text !== '')
    .join(' · ');
}
