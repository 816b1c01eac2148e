import { useVirtualizer } from '@tanstack/react-virtual';
import { FileQuestion, Scale, Scissors, UnfoldVertical } from 'lucide-react';
import { type ReactNode, useMemo, useRef, useState } from 'react';
import { Badge } from '../../../ui/badge.tsx';
import { classNames } from '../../../ui/class-names.ts';
import { ScrollRegion } from '../../../ui/scroll-region.tsx';
import { EmptyState, ErrorState, SkeletonRows } from '../../../ui/states.tsx';
import type { DifferenceRow } from './compare-texts.ts';
import { ComparisonLine } from './comparison-line.tsx';
import { layOutRows, type ComparisonView as View } from './lay-out-rows.ts';
import type { ContentRef } from './read-text.ts';
import { t } from './strings.ts';
import { useComparison } from './use-comparison.ts';

const ROW_PX = 22;
const OVERSCAN = 30;
/** Wide enough for two columns of text. */
const WIDE = '(min-width: 60rem)';

export interface ComparisonProps {
  readonly older: ContentRef;
  readonly newer: ContentRef;
  /** What the two are called, for screen readers and above the columns. */
  readonly olderName: string;
  readonly newerName: string;
  /** Beside the words for the whole difference. */
  readonly actions?: ReactNode;
}

/** Two versions of a text: what was removed and added, or why that cannot be said. */
export function Comparison(props: ComparisonProps) {
  const { data, error, isPending, refetch } = useComparison(props.older, props.newer);
  const [view, setView] = useState<View>(() =>
    window.matchMedia(WIDE).matches ? 'side-by-side' : 'unified',
  );
  if (isPending) return <SkeletonRows count={6} />;
  if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />;
  switch (data.outcome) {
    case 'not-text':
      return (
        <EmptyState icon={FileQuestion} title={t('notTextTitle')} className="py-8">
          {t('notText')}
        </EmptyState>
      );
    case 'too-large':
      return (
        <EmptyState icon={Scissors} title={t('tooLargeTitle')} className="py-8">
          {t('tooLarge')}
        </EmptyState>
      );
    case 'too-different':
      return (
        <EmptyState icon={Scale} title={t('tooDifferentTitle')} className="py-8">
          {t('tooDifferent')}
        </EmptyState>
      );
    case 'equal':
      return (
        <EmptyState icon={Scale} title={t('equal')} className="py-8">
          {data.note === null ? undefined : t(data.note)}
        </EmptyState>
      );
    case 'different':
      return (
        <div className="flex min-h-0 flex-1 flex-col gap-2">
          <div className="flex flex-wrap items-center gap-2">
            <Badge tone="good">+ {t('added', { count: data.addedLines })}</Badge>
            <Badge tone="danger">− {t('removed', { count: data.removedLines })}</Badge>
            {data.note !== null && <Badge tone="warn">{t(data.note)}</Badge>}
            <span className="flex-1" />
            {props.actions}
            <ViewSwitch view={view} onChange={setView} />
          </div>
          <Rows rows={data.rows} view={view} olderName={props.olderName} newerName={props.newerName} />
        </div>
      );
  }
}

function ViewSwitch({ view, onChange }: { view: View; onChange: (view: View) => void }) {
  const choices: readonly { value: View; label: string }[] = [
    { value: 'unified', label: t('unified') },
    { value: 'side-by-side', label: t('sideBySide') },
  ];
  return (
    <fieldset className="flex rounded-lg border border-line-strong p-0.5">
      <legend className="sr-only">{t('view')}</legend>
      {choices.map(({ value, label }) => (
        <button
          key={value}
          type="button"
          aria-pressed={view === value}
          onClick={() => onChange(value)}
          className="rounded-md px-2.5 py-1 text-quiet text-sm hover:text-ink aria-pressed:bg-accent-soft aria-pressed:font-medium aria-pressed:text-accent-text pointer-coarse:min-h-9"
        >
          {label}
        </button>
      ))}
    </fieldset>
  );
}

interface RowsProps {
  readonly rows: readonly DifferenceRow[];
  readonly view: View;
  readonly olderName: string;
  readonly newerName: string;
}

/** Only what is on the screen is drawn: a comparison may have 100,000 lines. */
function Rows({ rows, view, olderName, newerName }: RowsProps) {
  const frame = useRef<HTMLElement>(null);
  const [openGaps, setOpenGaps] = useState<ReadonlySet<number>>(new Set());
  const items = useMemo(() => layOutRows(rows, view, openGaps), [rows, view, openGaps]);
  const virtualizer = useVirtualizer({
    count: items.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
  });
  return (
    <div className="flex min-h-0 flex-col overflow-hidden rounded-xl border border-line bg-surface">
      <div
        className={classNames(
          'grid shrink-0 border-line border-b bg-sunken text-quiet text-sm',
          view === 'side-by-side' ? 'grid-cols-2' : 'grid-cols-1 sm:grid-cols-2',
        )}
      >
        <span className="truncate px-3 py-1.5">
          <span aria-hidden>− </span>
          {olderName}
        </span>
        <span className="truncate px-3 py-1.5">
          <span aria-hidden>+ </span>
          {newerName}
        </span>
      </div>
      <ScrollRegion ref={frame} label={t('tableLabel')} className="max-h-[60dvh] min-h-24">
        <div className="relative w-full" style={{ height: virtualizer.getTotalSize() }}>
          {virtualizer.getVirtualItems().map(({ index, start, key }) => {
            const item = items[index];
            if (item === undefined) return null;
            return (
              <div
                key={key}
                data-index={index}
                ref={virtualizer.measureElement}
                className="absolute inset-x-0 top-0"
                style={{ transform: `translateY(${start}px)` }}
              >
                {item.type === 'gap' ? (
                  <button
                    type="button"
                    onClick={() => setOpenGaps((open) => new Set(open).add(item.start))}
                    className="flex w-full items-center gap-2 border-line border-y bg-sunken px-3 py-1 text-accent-text text-sm hover:bg-hover"
                  >
                    <UnfoldVertical aria-hidden className="size-3.5" />
                    {t('gap', { count: item.hiddenLines })}
                  </button>
                ) : (
                  <ComparisonLine item={item} />
                )}
              </div>
            );
          })}
        </div>
      </ScrollRegion>
    </div>
  );
}
