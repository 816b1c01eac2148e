import { Ban, Check, File, Folder, type LucideIcon, Pause, RotateCw, TriangleAlert, X } from 'lucide-react';
import { memo } from 'react';
import { cancelUploads, retryUploads } from '../../transfers/queue.ts';
import { isActive, isOver, type UploadItem } from '../../transfers/queue-state.ts';
import { classNames } from '../../ui/class-names.ts';
import { IconButton } from '../../ui/icon-button.tsx';
import { ProgressBar } from '../../ui/progress-bar.tsx';
import { shownName } from '../../ui/shown-name.ts';
import { describeItem, foldersOf, nameOf } from './describe-uploads.ts';
import { t } from './strings.ts';

function iconOf(item: UploadItem): { readonly icon: LucideIcon; readonly look: string } {
  if (item.state === 'done') return { icon: Check, look: 'text-good' };
  if (item.state === 'failed') return { icon: TriangleAlert, look: 'text-danger' };
  if (item.state === 'skipped') return { icon: Ban, look: 'text-quiet' };
  if (item.state.startsWith('needs-')) return { icon: Pause, look: 'text-warn' };
  return { icon: item.kind === 'folder' ? Folder : File, look: 'text-quiet' };
}

/** One upload: its name, how far it is, and what can be done about it. */
export const UploadRow = memo(function UploadRow({ item }: { readonly item: UploadItem }) {
  const name = nameOf(item.relativePath);
  const folders = foldersOf(item.relativePath);
  const { icon: Icon, look } = iconOf(item);
  const showsBar = item.state === 'sending' || item.state === 'hashing';
  return (
    <div className="flex h-14 items-center gap-3 px-4">
      <Icon aria-hidden className={classNames('size-4.5 shrink-0', look)} strokeWidth={1.75} />
      <div className="min-w-0 flex-1">
        <p className="truncate text-sm" title={item.relativePath}>
          {shownName(name)}
          {folders !== '' && <span className="text-quiet"> — {folders}</span>}
        </p>
        <p
          title={describeItem(item)}
          className={classNames('truncate text-xs', item.state === 'failed' ? 'text-danger' : 'text-quiet')}
        >
          {describeItem(item)}
        </p>
        {showsBar && (
          <ProgressBar
            value={item.sizeBytes === 0 ? null : item.doneBytes / item.sizeBytes}
            label={t('progressOf', { name })}
            className="mt-0.5 h-1"
          />
        )}
      </div>
      {item.state === 'failed' && (
        <IconButton
          icon={RotateCw}
          small
          label={t('retry', { name })}
          onClick={() => retryUploads([item.id])}
        />
      )}
      {!isOver(item.state) && (
        <IconButton
          icon={X}
          small
          label={isActive(item.state) ? t('cancel', { name }) : t('remove', { name })}
          onClick={() => cancelUploads([item.id])}
        />
      )}
    </div>
  );
});
