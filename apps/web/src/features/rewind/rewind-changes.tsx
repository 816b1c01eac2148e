import type { RewindChange, RewindPreviewResponse } from '@cairn/protocol';
import {
  ArrowLeftRight,
  CircleHelp,
  History,
  type LucideIcon,
  Pencil,
  RotateCcw,
  Trash2,
} from 'lucide-react';
import { Button } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { formatBytes } from '../../ui/format.ts';
import { ScrollRegion } from '../../ui/scroll-region.tsx';
import { ErrorState, SkeletonRows } from '../../ui/states.tsx';
import type { useRewindPreview } from './rewind-data.ts';
import { t } from './strings.ts';

type Kind = RewindChange['kind'];
type Counts = RewindPreviewResponse['counts'];

const KINDS: Readonly<Record<Kind, { readonly icon: LucideIcon; readonly look: string }>> = {
  restore: { icon: RotateCcw, look: 'text-good' },
  revert: { icon: Pencil, look: 'text-accent-text' },
  'move-back': { icon: ArrowLeftRight, look: 'text-accent-text' },
  remove: { icon: Trash2, look: 'text-danger' },
  lost: { icon: CircleHelp, look: 'text-warn' },
};
const ORDER: readonly Kind[] = ['restore', 'revert', 'move-back', 'remove', 'lost'];

/** How many changes going back would make. */
export function countChanges(counts: Counts): number {
  return counts.restore + counts.revert + counts['move-back'] + counts.remove;
}

export function ChangeCounts({ counts }: { readonly counts: Counts }) {
  const shown = ORDER.filter((kind) => counts[kind] > 0);
  return (
    <ul className="flex flex-col gap-1">
      {shown.map((kind) => {
        const { icon: Icon, look } = KINDS[kind];
        return (
          <li key={kind} className="flex items-center gap-2.5">
            <Icon aria-hidden className={classNames('size-4 shrink-0', look)} />
            {t(`count.${kind}`, { count: counts[kind] })}
          </li>
        );
      })}
    </ul>
  );
}

export interface RewindChangesProps {
  readonly preview: ReturnType<typeof useRewindPreview>;
  readonly isNow: boolean;
  readonly isOffline: boolean;
  /** The folder; what is shown of paths begins below it. */
  readonly folderPath: string;
  readonly onRestore: () => void;
}

/** What going back would change: how much of what, each thing, and the button that does it. */
export function RewindChanges({ preview, isNow, isOffline, folderPath, onRestore }: RewindChangesProps) {
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage, isPlaceholderData } = preview;
  const counts = data?.pages[0]?.counts;
  const total = counts === undefined ? 0 : countChanges(counts);
  const changes = data?.pages.flatMap((page) => page.changes) ?? [];
  return (
    <section
      aria-label={t('changesLabel')}
      aria-busy={isPlaceholderData}
      className={classNames(
        'flex flex-col rounded-xl border border-line bg-surface transition-opacity',
        isPlaceholderData && 'opacity-60',
      )}
    >
      <div className="flex flex-col gap-3 px-4 py-3.5">
        <h2 className="font-semibold">{t('changesTitle')}</h2>
        {counts === undefined ? (
          error === null ? (
            <SkeletonRows count={2} />
          ) : (
            <ErrorState error={error} onRetry={() => void preview.refetch()} />
          )
        ) : total === 0 && counts.lost === 0 ? (
          <p className="text-quiet">{isNow ? t('isNow') : t('nothing')}</p>
        ) : (
          <ChangeCounts counts={counts} />
        )}
        <Button
          look="primary"
          icon={History}
          disabled={total === 0 || isOffline || isPlaceholderData}
          onClick={onRestore}
        >
          {t('restoreFolder')}
        </Button>
      </div>
      {changes.length > 0 && (
        <ScrollRegion label={t('changesLabel')} className="max-h-112 border-line border-t">
          <ul className="divide-y divide-line">
            {changes.map((change) => (
              <ChangeRow key={`${change.kind}-${change.entryId}`} change={change} folderPath={folderPath} />
            ))}
          </ul>
          {hasNextPage && (
            <div className="p-3 text-center">
              <Button small busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
                {t('moreChanges')}
              </Button>
            </div>
          )}
        </ScrollRegion>
      )}
    </section>
  );
}

function ChangeRow({ change, folderPath }: { readonly change: RewindChange; readonly folderPath: string }) {
  const { icon: Icon, look } = KINDS[change.kind];
  const below = (path: string): string =>
    folderPath !== '/' && path.startsWith(`${folderPath}/`)
      ? path.slice(folderPath.length + 1)
      : path.replace(/^\//, '');
  return (
    <li className="flex items-start gap-3 px-4 py-2">
      <Icon aria-hidden className={classNames('mt-0.5 size-4 shrink-0', look)} />
      <div className="min-w-0 flex-1">
        <p className="break-words">{below(change.path)}</p>
        <p className="break-words text-quiet text-sm">
          {t(change.kind)}
          {change.fromPath !== undefined && ` · ${below(change.fromPath)}`}
          {change.sizeBytes !== undefined && ` · ${formatBytes(change.sizeBytes)}`}
        </p>
      </div>
    </li>
  );
}
