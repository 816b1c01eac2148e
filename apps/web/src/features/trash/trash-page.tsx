import { useNavigate } from '@tanstack/react-router';
import { RotateCcw, Trash2, X } from 'lucide-react';
import { type KeyboardEvent, useCallback, useState } from 'react';
import { sayError } from '../../api/errors.ts';
import { parentPath } from '../../api/paths.ts';
import { useConnection } from '../../api/use-connection.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Checkbox } from '../../ui/field.tsx';
import { IconButton } from '../../ui/icon-button.tsx';
import { Page } from '../../ui/page.tsx';
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/states.tsx';
import { showToast } from '../../ui/toast-store.ts';
import { t } from './strings.ts';
import {
  emptyTrash,
  purgeItems,
  type Restored,
  restoreItems,
  type TrashItem,
  type TrashResult,
  useTrash,
} from './trash-data.ts';
import { TrashList } from './trash-list.tsx';
import { nameFolder } from './trash-row.tsx';

type Asking = { readonly kind: 'empty' } | { readonly kind: 'purge'; readonly items: readonly TrashItem[] };

/** What was deleted: bring it back, or delete it for good. */
export function TrashPage() {
  const trash = useTrash();
  const connection = useConnection();
  const isOffline = connection === 'offline' || connection === 'unreachable';
  const show = useShowFolder();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [busy, setBusy] = useState<ReadonlySet<string>>(new Set());
  const [asking, setAsking] = useState<Asking | null>(null);

  const items = trash.data?.pages.flatMap((page) => page.items) ?? [];
  const chosen = items.filter(({ entryId }) => selected.has(entryId));
  const retention = trash.data?.pages[0]?.retention;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = trash;
  const loadMore = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);

  /** Runs something on items, and forgets that they were selected. */
  async function withBusy<Result>(
    on: readonly TrashItem[],
    work: () => Promise<Result>,
  ): Promise<Result | null> {
    setBusy(new Set(on.map(({ entryId }) => entryId)));
    try {
      const result = await work();
      setSelected(new Set());
      return result;
    } catch (error) {
      showToast(sayError(error), { tone: 'danger' });
      return null;
    } finally {
      setBusy(new Set());
      setAsking(null);
    }
  }

  async function restore(on: readonly TrashItem[]): Promise<void> {
    const result = await withBusy(on, () => restoreItems(on));
    if (result !== null) sayRestored(result, show);
  }

  async function purge(on: readonly TrashItem[]): Promise<void> {
    const result = await withBusy(on, () => purgeItems(on));
    if (result === null) return;
    if (!sayFailures(result)) showToast(t('purged', { count: result.done.length }));
  }

  async function empty(): Promise<void> {
    const count = await withBusy(items, emptyTrash);
    if (count !== null) showToast(t('purged', { count }));
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (asking !== null || chosen.length === 0) return;
    if (event.key === 'Escape') setSelected(new Set());
    if (event.key === 'Delete' && !isOffline) setAsking({ kind: 'purge', items: chosen });
  }

  function select(item: TrashItem, isSelected: boolean): void {
    const next = new Set(selected);
    if (isSelected) next.add(item.entryId);
    else next.delete(item.entryId);
    setSelected(next);
  }

  return (
    <Page
      title={t('title')}
      description={
        retention === undefined
          ? undefined
          : retention.keep === 'days'
            ? t('keptDays', { count: retention.days })
            : t('keptAll')
      }
      actions={
        items.length > 0 && (
          <Button icon={Trash2} disabled={isOffline} onClick={() => setAsking({ kind: 'empty' })}>
            {t('emptyAction')}
          </Button>
        )
      }
    >
      {trash.data === undefined ? (
        trash.isError ? (
          <ErrorState error={trash.error} onRetry={() => void trash.refetch()} />
        ) : (
          <div className="rounded-xl border border-line bg-surface">
            <SkeletonRows />
          </div>
        )
      ) : items.length === 0 ? (
        <EmptyState icon={Trash2} title={t('emptyTitle')}>
          {t('empty')}
        </EmptyState>
      ) : (
        // biome-ignore lint/a11y/noStaticElementInteractions: keys for what the buttons in it do as well
        <div onKeyDown={onKeyDown}>
          <SelectionBar
            count={chosen.length}
            total={items.length}
            isOffline={isOffline}
            isBusy={busy.size > 0}
            onAll={(isOn) => setSelected(new Set(isOn ? items.map(({ entryId }) => entryId) : []))}
            onClear={() => setSelected(new Set())}
            onRestore={() => void restore(chosen)}
            onPurge={() => setAsking({ kind: 'purge', items: chosen })}
          />
          <TrashList
            items={items}
            selected={selected}
            busy={busy}
            isOffline={isOffline}
            isLoadingMore={isFetchingNextPage}
            onEnd={loadMore}
            onSelect={select}
            onRestore={(item) => void restore([item])}
            onPurge={(item) => setAsking({ kind: 'purge', items: [item] })}
          />
        </div>
      )}
      {asking?.kind === 'empty' && (
        <ConfirmDialog
          danger
          title={t('emptyConfirmTitle')}
          description={t(hasNextPage ? 'emptyConfirmMore' : 'emptyConfirm', { count: items.length })}
          action={t('emptyAction')}
          busy={busy.size > 0}
          onConfirm={() => void empty()}
          onClose={() => setAsking(null)}
        />
      )}
      {asking?.kind === 'purge' && (
        <ConfirmDialog
          danger
          title={t('purgeConfirmTitle', { count: asking.items.length, name: asking.items[0]?.name ?? '' })}
          description={t('purgeConfirm', { count: asking.items.length })}
          action={t('purge')}
          busy={busy.size > 0}
          onConfirm={() => void purge(asking.items)}
          onClose={() => setAsking(null)}
        />
      )}
    </Page>
  );
}

interface SelectionBarProps {
  readonly count: number;
  readonly total: number;
  readonly isOffline: boolean;
  readonly isBusy: boolean;
  readonly onAll: (isOn: boolean) => void;
  readonly onClear: () => void;
  readonly onRestore: () => void;
  readonly onPurge: () => void;
}

function SelectionBar(props: SelectionBarProps) {
  const { count, total } = props;
  return (
    <div className="sticky top-0 z-10 flex min-h-12 flex-wrap items-center gap-2 rounded-t-xl border border-line bg-surface px-4 py-1.5">
      <Checkbox
        label={count === 0 ? t('selectAll') : t('selected', { count })}
        checked={count === 0 ? false : count === total ? true : 'mixed'}
        onChange={props.onAll}
        className="text-quiet text-sm"
      />
      <span aria-live="polite" className="sr-only">
        {t('selected', { count })}
      </span>
      <span className="flex-1" />
      {count > 0 && (
        <>
          <Button
            small
            icon={RotateCcw}
            busy={props.isBusy}
            disabled={props.isOffline}
            onClick={props.onRestore}
          >
            {t('restore')}
          </Button>
          <Button
            small
            look="quiet"
            icon={Trash2}
            disabled={props.isOffline || props.isBusy}
            onClick={props.onPurge}
          >
            {t('purge')}
          </Button>
          <IconButton small icon={X} label={t('clear')} onClick={props.onClear} />
        </>
      )}
    </div>
  );
}

function useShowFolder(): (path: string) => void {
  const navigate = useNavigate();
  return (path) => void navigate({ to: '/files/$', params: { _splat: path.replace(/^\//, '') } });
}

/** Whether something failed, which then is said. */
function sayFailures({ done, errors }: TrashResult<unknown>): boolean {
  const [first] = errors;
  if (errors.length === 0) return false;
  const total = done.length + errors.length;
  const reason = sayError(first);
  showToast(total === 1 ? reason : t('failedSome', { count: errors.length, total, reason }), {
    tone: 'danger',
  });
  return true;
}

function sayRestored(result: TrashResult<Restored>, show: (path: string) => void): void {
  if (sayFailures(result)) return;
  const [first] = result.done;
  if (first === undefined) return;
  const folder = parentPath(first.entry.path);
  const isElsewhere = result.done.some(({ item, entry }) => item.path !== entry.path);
  const count = result.done.length;
  const holes = { count, name: first.item.name, folder: nameFolder(folder), path: first.entry.path };
  const key = !isElsewhere ? 'restored' : count === 1 ? 'restoredElsewhere' : 'restoredSomeElsewhere';
  showToast(t(key, holes), {
    tone: 'good',
    action: { label: t('show'), onSelect: () => show(folder) },
  });
}
