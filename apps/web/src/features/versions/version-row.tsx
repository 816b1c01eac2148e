import type { EntryId } from '@cairn/model';
import type { VersionObject } from '@cairn/protocol';
import { Download, EllipsisVertical, Eye, GitCompareArrows, RotateCcw } from 'lucide-react';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { formatBytes, formatDate, formatDateTime, formatExact, formatRelative } from '../../ui/format.ts';
import { IconButton } from '../../ui/icon-button.tsx';
import { Menu, type MenuEntry } from '../../ui/menu.tsx';
import { t } from './strings.ts';
import { versionUrl } from './versions-data.ts';

export interface VersionRowProps {
  readonly entryId: EntryId;
  readonly version: VersionObject;
  readonly current: VersionObject | undefined;
  /** The one that was saved before it. */
  readonly before: VersionObject | undefined;
  readonly isBusy: boolean;
  readonly isLast: boolean;
  readonly onPreview: () => void;
  readonly onCompare: (older: VersionObject, newer: VersionObject) => void;
  readonly onRestore: () => void;
}

/** One version on the line of the history. */
export function VersionRow(props: VersionRowProps) {
  const { version, current, before } = props;
  const isCurrent = version.versionId === current?.versionId;
  const isSame = !isCurrent && version.contentId !== null && version.contentId === current?.contentId;
  const at = formatDateTime(version.committedAt);
  const when = formatRelative(version.committedAt);
  return (
    <li className="group relative flex gap-3 rounded-lg px-1 py-2.5 hover:bg-hover/60">
      <span aria-hidden className="relative flex w-4 shrink-0 justify-center">
        <span
          className={classNames(
            'mt-1.5 size-2.5 rounded-full ring-2 ring-surface',
            isCurrent ? 'bg-accent' : 'bg-line-strong',
          )}
        />
        {!props.isLast && <span className="absolute top-5 -bottom-4 w-px bg-line-strong" />}
      </span>
      <div className="min-w-0 flex-1">
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <time
            dateTime={new Date(version.committedAt).toISOString()}
            title={formatExact(version.committedAt)}
            className="font-medium"
          >
            {at}
          </time>
          {isCurrent && <Badge tone="accent">{t('current')}</Badge>}
        </div>
        <p className="break-words text-quiet text-sm">
          {t('savedBy', { device: version.deviceName })}
          {/* The date itself is above. */}
          {when !== formatDate(version.committedAt) && ` · ${when}`}
        </p>
        <p className="break-words text-quiet text-sm">
          {version.target === null ? describeSize(version, before) : t('link', { target: version.target })}
          {isSame && ` · ${t('sameContent')}`}
        </p>
      </div>
      <div className="flex shrink-0 items-start gap-1">
        {!isCurrent && (
          <Button small busy={props.isBusy} onClick={props.onRestore} className="max-sm:hidden">
            {t('restoreShort')}
            <span className="sr-only"> {at}</span>
          </Button>
        )}
        <Menu
          trigger={<IconButton icon={EllipsisVertical} small noTooltip label={t('actions', { at })} />}
          entries={menuOf(props, isCurrent)}
        />
      </div>
    </li>
  );
}

function describeSize(version: VersionObject, before: VersionObject | undefined): string {
  const size = formatBytes(version.sizeBytes);
  if (before === undefined) return size;
  const difference = version.sizeBytes - before.sizeBytes;
  if (difference === 0) return `${size} (${t('sameSize')})`;
  const words = formatBytes(Math.abs(difference));
  return `${size} (${difference > 0 ? t('larger', { size: words }) : t('smaller', { size: words })})`;
}

function menuOf(props: VersionRowProps, isCurrent: boolean): MenuEntry[] {
  const { version, current, before } = props;
  const entries: MenuEntry[] = [{ label: t('preview'), icon: Eye, onSelect: props.onPreview }];
  if (!isCurrent && current !== undefined) {
    const select = (): void => props.onCompare(version, current);
    entries.push({ label: t('compare'), icon: GitCompareArrows, onSelect: select });
  }
  if (before !== undefined) {
    const select = (): void => props.onCompare(before, version);
    entries.push({ label: t('compareOlder'), icon: GitCompareArrows, onSelect: select });
  }
  if (version.target === null) {
    const url = versionUrl(props.entryId, version.versionId);
    entries.push({ label: t('download'), icon: Download, onSelect: () => window.location.assign(url) });
  }
  if (!isCurrent) {
    entries.push('line', { label: t('restore'), icon: RotateCcw, onSelect: props.onRestore });
  }
  return entries;
}
