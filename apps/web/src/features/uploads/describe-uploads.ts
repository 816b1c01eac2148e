import type { UploadsView } from '../../transfers/queue.ts';
import type { UploadItem } from '../../transfers/queue-state.ts';
import { formatBytes, formatDuration, formatSpeed } from '../../ui/format.ts';
import { t } from './strings.ts';

export type TrayTone = 'busy' | 'held' | 'danger' | 'good';

export interface TrayHeadline {
  readonly text: string;
  readonly tone: TrayTone;
}

/** How many are under way. */
export function countActive({ counts }: UploadsView['summary']): number {
  return counts.waiting + counts.hashing + counts.sending + counts.committing;
}

/** The one sentence of the tray: what matters most now. */
export function describeTray({ summary, engine }: UploadsView): TrayHeadline {
  const { counts } = summary;
  const active = countActive(summary);
  const held = counts['needs-file'] + counts['needs-permission'];
  if (active > 0 && engine.state === 'paused') return { text: t('paused', { count: active }), tone: 'held' };
  if (active > 0 && engine.state === 'unreachable') return { text: t('unreachable'), tone: 'held' };
  if (active > 0 && engine.state === 'signed-out') return { text: t('signedOut'), tone: 'held' };
  if (active > 0) return { text: t('uploading', { count: active }), tone: 'busy' };
  if (counts.asking > 0) return { text: t('asking', { count: counts.asking }), tone: 'held' };
  if (counts.failed > 0) return { text: t('failed', { count: counts.failed }), tone: 'danger' };
  if (held > 0) return { text: t('waitingForFiles', { count: held }), tone: 'held' };
  return { text: t('done', { count: counts.done }), tone: 'good' };
}

/** `12 of 40 MiB · 3 MiB/s · 10 s left` */
export function describeProgress({ summary, speed, leftMs }: UploadsView): string {
  const { doneBytes, totalBytes } = summary;
  const parts = [t('progress', { done: formatBytes(doneBytes), total: formatBytes(totalBytes) })];
  if (speed !== null) parts.push(formatSpeed(speed));
  if (leftMs !== null && doneBytes < totalBytes)
    parts.push(leftMs < 1000 ? t('justNow') : t('left', { time: formatDuration(leftMs) }));
  return parts.join(' · ');
}

/** What a row says below the name. */
export function describeItem(item: UploadItem): string {
  switch (item.state) {
    case 'waiting':
      return t('stateWaiting');
    case 'hashing':
      return t('stateHashing');
    case 'sending':
      return t('stateSending', { done: formatBytes(item.doneBytes), total: formatBytes(item.sizeBytes) });
    case 'committing':
      return t('stateCommitting');
    case 'asking':
      return t('stateAsking');
    case 'skipped':
      return t('stateSkipped');
    case 'failed': {
      const text = item.failure?.message ?? '';
      return text.charAt(0).toUpperCase() + text.slice(1);
    }
    case 'needs-file':
      return t('stateNeedsFile');
    case 'needs-permission':
      return t('stateNeedsPermission');
    case 'done':
      if (item.note === 'unchanged') return t('stateUnchanged');
      if (item.note === 'replaced') return t('stateReplaced');
      if (item.note === 'renamed') return t('stateRenamed');
      if (item.note === 'conflict-copy') return t('stateConflictCopy');
      return t('stateDone');
  }
}

/** The last name of a path. */
export function nameOf(relativePath: string): string {
  return relativePath.slice(relativePath.lastIndexOf('/') + 1);
}

/** The folders of a path, or nothing. */
export function foldersOf(relativePath: string): string {
  return relativePath.slice(0, Math.max(0, relativePath.lastIndexOf('/')));
}
