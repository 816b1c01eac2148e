import { type EntryId, isCairnError, type VersionId } from '@cairn/model';
import type { RewindChange, RewindItem } from '@cairn/protocol';
import { ChevronRight, Download, EllipsisVertical, Eye, FolderOpen, RotateCcw } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Badge } from '../../ui/badge.tsx';
import { classNames } from '../../ui/class-names.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { formatBytes, formatDateTime, formatExact, millisecondsOf } from '../../ui/format.ts';
import { IconButton } from '../../ui/icon-button.tsx';
import { KindIcon } from '../../ui/kind-icon.tsx';
import { Menu, type MenuEntry } from '../../ui/menu.tsx';
import { shownName } from '../../ui/shown-name.ts';
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/states.tsx';
import { usePageList } from '../../ui/use-page-list.ts';
import { VersionPreview } from '../versions/version-preview.tsx';
import { versionUrl } from '../versions/versions-data.ts';
import { usePastFolder } from './rewind-data.ts';
import { t } from './strings.ts';

const ROW_PX = 52;

interface Step {
  readonly entryId: EntryId;
  readonly name: string;
}

export interface PastFolderProps {
  readonly root: Step;
  readonly at: number;
  /** What would change, by entry. */
  readonly changes: ReadonlyMap<string, RewindChange>;
  readonly isOffline: boolean;
  readonly onRestoreItem: (item: RewindItem) => void;
}

/** A folder as it was: look into it, at what was in it, and take single things back. */
export function PastFolder({ root, at, changes, isOffline, onRestoreItem }: PastFolderProps) {
  const [steps, setSteps] = useState<readonly Step[]>([root]);
  const [previewed, setPreviewed] = useState<(RewindItem & { versionId: VersionId }) | null>(null);
  const here = steps.at(-1) ?? root;
  const past = usePastFolder(root.entryId, here.entryId, at);
  const items = past.data?.items ?? [];
  const isGone = isCairnError(past.error, 'not-found');
  // biome-ignore lint/correctness/useExhaustiveDependencies: the one above may be gone, too
  useEffect(() => {
    // At another moment, the folder that was looked into may not be there; the one above it may.
    if (isGone) setSteps((before) => (before.length > 1 ? before.slice(0, -1) : before));
  }, [isGone, here.entryId]);

  function menuOf(item: RewindItem): MenuEntry[] {
    const entries: MenuEntry[] = [];
    const { versionId } = item;
    if (item.kind === 'file' && versionId !== undefined) {
      const url = versionUrl(item.entryId, versionId);
      entries.push(
        { label: t('preview'), icon: Eye, onSelect: () => setPreviewed({ ...item, versionId }) },
        { label: t('download'), icon: Download, onSelect: () => window.location.assign(url) },
        'line',
      );
    }
    entries.push({
      label: t('restoreItem'),
      icon: RotateCcw,
      disabled: isOffline,
      onSelect: () => onRestoreItem(item),
    });
    return entries;
  }

  return (
    <section
      aria-label={t('thenLabel', { folder: here.name })}
      aria-busy={past.isPlaceholderData}
      className={classNames(
        'min-w-0 overflow-hidden rounded-xl border border-line bg-surface transition-opacity',
        past.isPlaceholderData && 'opacity-60',
      )}
    >
      <div className="flex items-center gap-2 border-line border-b px-4 py-2.5">
        <h2 className="sr-only">{t('thenTitle')}</h2>
        <nav aria-label={t('path')} className="flex min-w-0 flex-wrap items-center gap-1">
          {steps.map((step, index) => (
            <span key={step.entryId} className="flex min-w-0 items-center gap-1">
              {index > 0 && <ChevronRight aria-hidden className="size-4 shrink-0 text-quiet" />}
              <button
                type="button"
                aria-current={index === steps.length - 1 ? 'location' : undefined}
                onClick={() => setSteps(steps.slice(0, index + 1))}
                className="truncate rounded-md px-1.5 py-0.5 text-quiet hover:bg-hover aria-[current]:font-medium aria-[current]:text-ink"
              >
                {shownName(step.name)}
              </button>
            </span>
          ))}
        </nav>
      </div>
      {past.data === undefined ? (
        past.error === null ? (
          <SkeletonRows count={6} />
        ) : (
          <ErrorState error={past.error} onRetry={() => void past.refetch()} />
        )
      ) : items.length === 0 ? (
        <EmptyState icon={FolderOpen} title={t('emptyThenTitle')}>
          {t('emptyThen')}
        </EmptyState>
      ) : (
        <PastList
          items={items}
          changes={changes}
          menuOf={menuOf}
          onOpen={({ entryId, name }) => setSteps([...steps, { entryId, name }])}
          onPreview={(item, versionId) => setPreviewed({ ...item, versionId })}
        />
      )}
      {past.data?.complete === false && (
        <p className="border-line border-t px-4 py-2 text-quiet text-sm">{t('incomplete')}</p>
      )}
      {previewed !== null && (
        <Dialog
          size="large"
          title={shownName(previewed.name)}
          description={t('asOf', { at: formatExact(at) })}
          onClose={() => setPreviewed(null)}
        >
          <VersionPreview
            name={previewed.name}
            at={formatDateTime(at)}
            content={{
              entryId: previewed.entryId,
              versionId: previewed.versionId,
              sizeBytes: previewed.sizeBytes ?? 0,
              target: null,
            }}
          />
        </Dialog>
      )}
    </section>
  );
}

interface PastListProps {
  readonly items: readonly RewindItem[];
  readonly changes: ReadonlyMap<string, RewindChange>;
  readonly menuOf: (item: RewindItem) => MenuEntry[];
  readonly onOpen: (item: RewindItem) => void;
  readonly onPreview: (item: RewindItem, versionId: VersionId) => void;
}

function PastList({ items, changes, menuOf, onOpen, onPreview }: PastListProps) {
  const { listRef, virtualizer, offsetPx } = usePageList({
    count: items.length,
    estimatePx: ROW_PX,
    keyOf: (index) => items[index]?.entryId ?? String(index),
  });
  return (
    <ul ref={listRef} className="relative" style={{ height: virtualizer.getTotalSize() }}>
      {virtualizer.getVirtualItems().map(({ index, key, start }) => {
        const item = items[index];
        if (item === undefined) return null;
        const change = changes.get(item.entryId);
        const { versionId } = item;
        const canPreview = item.kind === 'file' && versionId !== undefined;
        const look = 'truncate text-left hover:underline';
        return (
          <li
            key={key}
            data-index={index}
            ref={virtualizer.measureElement}
            className="absolute inset-x-0 top-0 flex min-h-13 items-center gap-3 border-line border-b px-4 py-1.5 last:border-b-0 hover:bg-hover/60"
            style={{ transform: `translateY(${start - offsetPx}px)` }}
          >
            <KindIcon kind={item.kind} />
            <div className="min-w-0 flex-1">
              {item.kind === 'folder' ? (
                <button
                  type="button"
                  className={classNames(look, 'block max-w-full')}
                  onClick={() => onOpen(item)}
                >
                  <span className="sr-only">{t('open', { name: '' })}</span>
                  {shownName(item.name)}
                </button>
              ) : canPreview ? (
                <button
                  type="button"
                  className={classNames(look, 'block max-w-full')}
                  onClick={() => onPreview(item, versionId)}
                >
                  {shownName(item.name)}
                </button>
              ) : (
                <span className="block truncate">{shownName(item.name)}</span>
              )}
              <p className="truncate text-quiet text-sm">
                {item.sizeBytes !== undefined && formatBytes(item.sizeBytes)}
                {item.modifiedAtUs !== undefined && ` · ${formatDateTime(millisecondsOf(item.modifiedAtUs))}`}
                {item.kind === 'file' && versionId === undefined && t('notKept')}
              </p>
            </div>
            {change !== undefined && (
              <Badge tone={change.kind === 'lost' ? 'danger' : change.kind === 'restore' ? 'warn' : 'accent'}>
                {t(`now.${change.kind}`)}
              </Badge>
            )}
            <Menu
              trigger={
                <IconButton
                  icon={EllipsisVertical}
                  small
                  noTooltip
                  label={t('actions', { name: item.name })}
                />
              }
              entries={menuOf(item)}
            />
          </li>
        );
      })}
    </ul>
  );
}
