import { type EntryId, isCairnError } from '@cairn/model';
import type { RewindChange, RewindItem } from '@cairn/protocol';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { CalendarX2, Folder, FolderX, History } from 'lucide-react';
import { useMemo, useState } from 'react';
import { sayError } from '../../api/errors.ts';
import { isWithin } from '../../api/paths.ts';
import { useConnection } from '../../api/use-connection.ts';
import { useAccount } from '../../api/use-session.ts';
import { FolderLink } from '../../app/folder-link.tsx';
import { t as common } from '../../strings/t.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { formatDateTime, formatExact } from '../../ui/format.ts';
import { Page } from '../../ui/page.tsx';
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/states.tsx';
import { showToast } from '../../ui/toast-store.ts';
import { useActivity } from '../activity/activity-data.ts';
import { MomentChooser } from './moment-chooser.tsx';
import { findMoments } from './moments.ts';
import { PastFolder } from './past-folder.tsx';
import { ChangeCounts, RewindChanges } from './rewind-changes.tsx';
import { oldestInstant, rewind, undoOf, useFolderEntry, useRewindPreview } from './rewind-data.ts';
import { t } from './strings.ts';

/** A folder as it was at any moment, and the way back to it. */
export function RewindPage() {
  const { entryId } = useParams({ from: '/rewind/$entryId' });
  const navigate = useNavigate();
  const { rootId } = useAccount();
  const folder = useFolderEntry(entryId as EntryId);
  const entry = folder.data;
  if (entry === undefined || entry.kind !== 'folder') {
    const toRoot = (
      <Button onClick={() => void navigate({ to: '/rewind/$entryId', params: { entryId: rootId } })}>
        {t('goneAction')}
      </Button>
    );
    return (
      <Page title={t('title', { folder: '…' })}>
        {entry !== undefined ? (
          <EmptyState icon={History} title={t('notFolderTitle')}>
            {t('notFolder')}
          </EmptyState>
        ) : folder.error === null ? (
          <SkeletonRows count={6} />
        ) : isCairnError(folder.error, 'not-found', 'bad-request') ? (
          <EmptyState icon={FolderX} title={t('goneTitle')} action={toRoot}>
            {t('gone')}
          </EmptyState>
        ) : (
          <ErrorState error={folder.error} onRetry={() => void folder.refetch()} />
        )}
      </Page>
    );
  }
  const name = entry.parentId === null ? t('topFolder') : entry.name;
  return <Rewind key={entry.entryId} entryId={entry.entryId} path={entry.path} name={name} />;
}

interface RewindProps {
  readonly entryId: EntryId;
  readonly path: string;
  readonly name: string;
}

type Asking = { readonly item: RewindItem | null };

function Rewind({ entryId, path, name }: RewindProps) {
  const { at } = useSearch({ from: '/rewind/$entryId' });
  const navigate = useNavigate();
  const connection = useConnection();
  const isOffline = connection === 'offline' || connection === 'unreachable';
  const [asking, setAsking] = useState<Asking | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const { moments, activity } = useMoments(path);
  // An instant that all of now lies before, and that does not change with every rendering.
  const [openedAt] = useState(Date.now);
  const shownAt = at ?? Math.max(openedAt, moments.at(-1)?.at ?? 0);
  const preview = useRewindPreview(entryId, shownAt);
  const changes = useMemo(() => {
    const all = preview.data?.pages.flatMap((page) => page.changes) ?? [];
    return new Map<string, RewindChange>(all.map((change) => [change.entryId, change]));
  }, [preview.data]);
  const counts = preview.data?.pages[0]?.counts;

  function goTo(next: number | undefined): void {
    const search = next === undefined ? {} : { at: next };
    void navigate({ to: '/rewind/$entryId', params: { entryId }, search, replace: true });
  }

  async function goBack(item: RewindItem | null): Promise<void> {
    setIsBusy(true);
    try {
      const done = await rewind(entryId, shownAt, item);
      setAsking(null);
      if (done === null || done.changed === 0) {
        showToast(t('doneNothing'));
        return;
      }
      if (item === null) goTo(undefined);
      const takeBack = undoOf(entryId, done);
      showToast(t('done', { count: done.changed, at: formatDateTime(shownAt) }), {
        tone: 'good',
        ...(takeBack === null
          ? {}
          : { action: { label: common('common.undo'), onSelect: () => void undo(takeBack) } }),
      });
    } catch (error) {
      setAsking(null);
      showToast(sayError(error), { tone: 'danger' });
    } finally {
      setIsBusy(false);
    }
  }

  const isTooOld = isCairnError(preview.error, 'horizon-passed');
  const oldest = oldestInstant(preview.error);
  return (
    <Page
      wide
      title={t('title', { folder: name })}
      description={t('description')}
      actions={
        <FolderLink
          path={path}
          className="inline-flex h-9.5 items-center gap-2 rounded-lg border border-line-strong bg-surface px-3.5 font-medium hover:bg-hover pointer-coarse:min-h-11"
        >
          <Folder aria-hidden className="size-4" />
          {t('back')}
        </FolderLink>
      }
    >
      <div className="flex flex-col gap-4">
        <MomentChooser
          moments={moments}
          at={at}
          onChange={goTo}
          onEarlier={activity.hasNextPage ? () => void activity.fetchNextPage() : undefined}
          isLoadingEarlier={activity.isFetchingNextPage}
        />
        {isTooOld ? (
          <EmptyState
            icon={CalendarX2}
            title={t('horizonTitle')}
            action={oldest !== null && <Button onClick={() => goTo(oldest)}>{t('horizonAction')}</Button>}
          >
            {sayError(preview.error)}
          </EmptyState>
        ) : (
          <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_24rem]">
            <div className="min-w-0 lg:order-2">
              <RewindChanges
                preview={preview}
                isNow={at === undefined}
                isOffline={isOffline}
                folderPath={path}
                onRestore={() => setAsking({ item: null })}
              />
            </div>
            <PastFolder
              root={{ entryId, name }}
              at={shownAt}
              changes={changes}
              isOffline={isOffline}
              onRestoreItem={(item) => setAsking({ item })}
            />
          </div>
        )}
      </div>
      {asking !== null && (
        <ConfirmDialog
          title={t('confirmTitle', { at: formatExact(shownAt) })}
          description={
            asking.item === null
              ? t('confirmFolder', { folder: name })
              : t('confirmItem', { name: asking.item.name })
          }
          action={t('confirm')}
          busy={isBusy}
          onConfirm={() => void goBack(asking.item)}
          onClose={() => setAsking(null)}
        >
          {asking.item === null && counts !== undefined && <ChangeCounts counts={counts} />}
        </ConfirmDialog>
      )}
    </Page>
  );
}

/** The moments at which something in a folder changed; of what is gone nobody knows where it was, so it counts. */
function useMoments(path: string) {
  const activity = useActivity();
  const moments = useMemo(() => {
    const items = activity.data?.pages.flatMap((page) => page.items) ?? [];
    return findMoments(
      items.filter(({ entry, fromPath }) => {
        if (path === '/' || entry.path === null || isWithin(entry.path, path)) return true;
        return fromPath !== undefined && isWithin(fromPath, path);
      }),
    );
  }, [activity.data, path]);
  return { moments, activity };
}

async function undo(takeBack: () => Promise<void>): Promise<void> {
  try {
    await takeBack();
    showToast(t('undone'));
  } catch (error) {
    showToast(t('undoFailed', { reason: sayError(error) }), { tone: 'danger' });
  }
}
