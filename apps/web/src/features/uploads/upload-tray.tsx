import { useVirtualizer } from '@tanstack/react-virtual';
import { ChevronDown, ChevronUp, CircleCheck, Pause, Play, TriangleAlert, Upload } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import {
  cancelAllUploads,
  clearFinished,
  pauseUploads,
  readUpload,
  resumePausedUploads,
  resumeUploads,
  retryAllUploads,
  tryAgainNow,
  type UploadsView,
} from '../../transfers/queue.ts';
import { Button } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { IconButton } from '../../ui/icon-button.tsx';
import { ProgressBar } from '../../ui/progress-bar.tsx';
import { ClashDialog } from './clash-dialog.tsx';
import { countActive, describeProgress, describeTray, type TrayTone } from './describe-uploads.ts';
import { StoppedUploads } from './stopped-uploads.tsx';
import { t } from './strings.ts';
import { UploadRow } from './upload-row.tsx';
import { useSpokenUploads } from './use-spoken-uploads.ts';
import { useUploads } from './use-uploads.ts';

const ROW_HEIGHT = 56;
const ICONS = { busy: Upload, held: Pause, danger: TriangleAlert, good: CircleCheck } as const;
/** Nothing turns: the bar and the numbers move, and drawing all the time takes from what is sent. */
const ICON_LOOKS: Readonly<Record<TrayTone, string>> = {
  busy: 'text-accent-text',
  held: 'text-warn',
  danger: 'text-danger',
  good: 'text-good',
};

/** What is being uploaded: a quiet box at the bottom right, a sheet above the navigation on phones. */
export function UploadTray() {
  const view = useUploads();
  const spoken = useSpokenUploads(view);
  useEffect(() => {
    void resumeUploads();
  }, []);
  return (
    <>
      <p role="status" aria-live="polite" className="sr-only">
        {spoken}
      </p>
      {view.summary.total > 0 && <Tray view={view} />}
    </>
  );
}

function Tray({ view }: { readonly view: UploadsView }) {
  const [isOpen, setIsOpen] = useState(true);
  const [isCancelling, setIsCancelling] = useState(false);
  const [isAnswering, setIsAnswering] = useState(false);
  const { summary, engine } = view;
  const { text, tone } = describeTray(view);
  const Icon = ICONS[tone];
  const active = countActive(summary);
  const asking = summary.counts.asking;
  // A question is asked once by itself; put aside, it waits in the tray.
  const wasAsking = useRef(false);
  useEffect(() => {
    if (asking > 0 && !wasAsking.current) setIsAnswering(true);
    wasAsking.current = asking > 0;
  }, [asking]);

  return (
    <section
      aria-label={t('title')}
      className={classNames(
        'fixed inset-x-2 bottom-[calc(4.25rem+env(safe-area-inset-bottom))] z-30 flex flex-col overflow-hidden rounded-xl border border-line bg-raised shadow-raised',
        'md:inset-x-auto md:right-4 md:bottom-4 md:w-96',
      )}
    >
      <header className="flex items-center gap-3 py-2 pr-2 pl-4">
        <Icon aria-hidden className={classNames('size-5 shrink-0', ICON_LOOKS[tone])} strokeWidth={1.75} />
        <div className="min-w-0 flex-1">
          <h2 className="truncate font-medium text-sm">{text}</h2>
          {active > 0 && <p className="truncate text-quiet text-xs tabular-nums">{describeProgress(view)}</p>}
        </div>
        {active > 0 && engine.state === 'paused' && (
          <IconButton icon={Play} small label={t('resume')} onClick={resumePausedUploads} />
        )}
        {active > 0 && engine.state === 'running' && (
          <IconButton icon={Pause} small label={t('pause')} onClick={pauseUploads} />
        )}
        {active > 0 && engine.state === 'unreachable' && (
          <Button small look="quiet" onClick={tryAgainNow}>
            {t('tryNow')}
          </Button>
        )}
        {active === 0 && asking === 0 && summary.counts.failed === 0 && tone === 'good' && (
          <Button small look="quiet" onClick={clearFinished}>
            {t('clear')}
          </Button>
        )}
        <IconButton
          icon={isOpen ? ChevronDown : ChevronUp}
          small
          label={isOpen ? t('collapse') : t('expand')}
          aria-expanded={isOpen}
          onClick={() => setIsOpen(!isOpen)}
        />
      </header>
      {active > 0 && (
        <ProgressBar
          value={summary.totalBytes === 0 ? null : summary.doneBytes / summary.totalBytes}
          label={t('overall')}
          tone={tone === 'held' ? 'warn' : 'accent'}
          className="h-1 rounded-none"
        />
      )}
      {isOpen && (
        <>
          <StoppedUploads summary={summary} />
          {asking > 0 && (
            <div className="flex items-center gap-2 border-line border-b bg-warn-soft px-4 py-2 text-sm">
              <span className="min-w-0 flex-1">{t('asking', { count: asking })}</span>
              <Button small onClick={() => setIsAnswering(true)}>
                {t('answer')}
              </Button>
            </div>
          )}
          <Rows order={view.order} />
          <TrayFoot view={view} onCancel={() => setIsCancelling(true)} />
        </>
      )}
      {isAnswering && asking > 0 && <ClashDialog onClose={() => setIsAnswering(false)} />}
      {isCancelling && (
        <ConfirmDialog
          title={t('cancelTitle')}
          description={t('cancelText')}
          action={t('cancelAll')}
          danger
          onClose={() => setIsCancelling(false)}
          onConfirm={() => {
            cancelAllUploads();
            setIsCancelling(false);
          }}
        />
      )}
    </section>
  );
}

function TrayFoot({ view, onCancel }: { readonly view: UploadsView; readonly onCancel: () => void }) {
  const { counts } = view.summary;
  const unfinished =
    countActive(view.summary) + counts.asking + counts['needs-file'] + counts['needs-permission'];
  if (unfinished + counts.failed === 0) return null;
  return (
    <footer className="flex justify-end gap-2 border-line border-t px-3 py-1.5">
      {counts.done + counts.skipped > 0 && (
        <Button small look="quiet" onClick={clearFinished}>
          {t('clear')}
        </Button>
      )}
      {counts.failed > 0 && (
        <Button small look="quiet" onClick={retryAllUploads}>
          {t('retryAll')}
        </Button>
      )}
      <Button small look="quiet" onClick={onCancel}>
        {t('cancelAll')}
      </Button>
    </footer>
  );
}

/** Only the rows that are seen exist, since a folder may have a hundred thousand files. */
function Rows({ order }: { readonly order: readonly number[] }) {
  const scroller = useRef<HTMLElement>(null);
  const rows = useVirtualizer({
    count: order.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 4,
    getItemKey: (index) => order[index] ?? index,
  });
  return (
    <section
      ref={scroller}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
      tabIndex={0}
      aria-label={t('list')}
      className="max-h-[min(17.5rem,45dvh)] overflow-y-auto"
    >
      <ul className="relative" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ key, index, start }) => {
          const item = readUpload(order[index] ?? -1);
          return item === undefined ? null : (
            <li
              key={key}
              aria-setsize={order.length}
              aria-posinset={index + 1}
              className="absolute inset-x-0 top-0"
              style={{ transform: `translateY(${start}px)` }}
            >
              <UploadRow item={item} />
            </li>
          );
        })}
      </ul>
    </section>
  );
}
