import { isCairnError } from '@cairn/model';
import type { FileObject } from '@cairn/protocol';
import { useNavigate, useParams, useSearch as useRouteSearch } from '@tanstack/react-router';
import { FolderOpen, FolderX, Search, Upload } from 'lucide-react';
import { lazy, Suspense, useCallback, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { Destination } from '../../api/entries.ts';
import { useFolder } from '../../api/folders.ts';
import { baseName, parentPath } from '../../api/paths.ts';
import { useSearch } from '../../api/search.ts';
import { FolderLink } from '../../app/folder-link.tsx';
import { useKeptChoice } from '../../state/kept-value.ts';
import { useMedia } from '../../state/use-media.ts';
import { collectDropped } from '../../transfers/collect.ts';
import { addFiles } from '../../transfers/queue.ts';
import { Button } from '../../ui/button.tsx';
import { ContextMenu } from '../../ui/menu.tsx';
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/states.tsx';
import { showToast } from '../../ui/toast-store.ts';
import { Breadcrumbs } from './breadcrumbs.tsx';
import { clipboardStore } from './clipboard.ts';
import { bringsEntries, draggedEntries } from './dragging.ts';
import { DropZone } from './drop-zone.tsx';
import { entryMenu, folderMenu } from './entry-menu.ts';
import { FileBrowser } from './file-browser.tsx';
import { FindField } from './find-field.tsx';
import { filterEntries, SORT_ORDERS, type SortOrder, sortEntries } from './sort-entries.ts';
import { t } from './strings.ts';
import { SelectionBar, Toolbar } from './toolbar.tsx';
import { useBrowserModel } from './use-browser-model.ts';
import { useEntryById } from './use-entry-by-id.ts';
import { useFileActions } from './use-file-actions.ts';
import { useFilePickers } from './use-file-pickers.tsx';
import { useFollowFolder } from './use-follow-folder.ts';
import { usePaste } from './use-paste.ts';

const PreviewDialog = lazy(async () => ({
  default: (await import('../preview/preview-dialog.tsx')).PreviewDialog,
}));

// What is not seen at first is not loaded at first.
const DetailsPanel = lazy(async () => ({ default: (await import('./details-panel.tsx')).DetailsPanel }));
const ChooseFolderDialog = lazy(async () => ({
  default: (await import('./choose-folder-dialog.tsx')).ChooseFolderDialog,
}));
const FolderNameDialog = lazy(async () => ({
  default: (await import('./folder-name-dialog.tsx')).FolderNameDialog,
}));

type Asking =
  | { readonly kind: 'new-folder' }
  | { readonly kind: 'move' | 'copy'; readonly entries: readonly FileObject[] };

const NONE: readonly FileObject[] = [];

/** A folder, or what a search found, and everything that can be done with it. */
export function FilesPage() {
  const { _splat = '' } = useParams({ from: '/files/$' });
  const search = useRouteSearch({ from: '/files/$' });
  const path = `/${_splat.replace(/^\/+|\/+$/g, '')}`;
  // Another folder begins with nothing typed and nothing selected.
  return <FolderPage key={path} path={path} query={search.q ?? ''} search={search} />;
}

interface FolderPageProps {
  readonly path: string;
  readonly query: string;
  readonly search: { readonly preview?: string; readonly details?: string };
}

function FolderPage({ path, query, search }: FolderPageProps) {
  const navigate = useNavigate({ from: '/files/$' });
  const actions = useFileActions();
  const folder = useFolder(path);
  const found = useSearch(query);
  const clipboard = useSyncExternalStore(clipboardStore.subscribe, clipboardStore.read);
  const [view, setView] = useKeptChoice('view', ['list', 'grid'], 'list');
  const [order, setOrder] = useKeptChoice<SortOrder>('order', SORT_ORDERS, 'name-up');
  const [text, setText] = useState(query);
  const [asking, setAsking] = useState<Asking | null>(null);
  const [menuIsOfFolder, setMenuIsOfFolder] = useState(false);
  const findField = useRef<HTMLInputElement>(null);
  const grid = useRef<HTMLDivElement>(null);
  const menuSelected = useRef(false);
  const isTouchScreen = useMedia('(pointer: coarse)');
  const isSearching = query !== '';
  const folderEntry = folder.data?.entry;
  useFollowFolder(folderEntry?.entryId, path, folder.error);

  const children = folder.data?.children ?? NONE;
  const sorted = useMemo(() => sortEntries(children, order), [children, order]);
  const filtered = useMemo(() => filterEntries(sorted, isSearching ? '' : text), [sorted, text, isSearching]);
  const entries = isSearching ? (found.items ?? NONE) : filtered;
  const folderName = path === '/' ? t('root') : baseName(path);

  const upload = useCallback(async (transfer: DataTransfer, to: Destination) => {
    const items = await collectDropped(transfer);
    if (items.length === 0) showToast(t('dropNothing'), { tone: 'danger' });
    else addFiles(items, to);
  }, []);
  const dropInto = useCallback(
    (transfer: DataTransfer, to: Destination) => {
      if (bringsEntries(transfer)) void actions.move(draggedEntries(), to);
      else void upload(transfer, to);
    },
    [actions, upload],
  );
  const model = useBrowserModel(entries, isSearching ? `?${query}` : path, {
    actions,
    dropInto,
    showsPlaces: isSearching,
    label: isSearching ? t('resultsLabel', { query }) : t('listLabel', { folder: folderName }),
  });
  const pickers = useFilePickers((items) => folderEntry !== undefined && addFiles(items, folderEntry));
  usePaste(isSearching ? null : (folderEntry ?? null), actions, upload);
  const shownEntry = useEntryById(search.preview, entries);
  const detailedEntry = useEntryById(search.details, entries);
  const chosen = entries.filter(({ entryId }) => model.selection.selected.has(entryId));
  const [onlyChosen] = chosen.length === 1 ? chosen : [];

  function find(q: string): void {
    void navigate({ search: q === '' ? {} : { q } });
  }
  function clearFind(): void {
    setText('');
    if (isSearching) find('');
    else grid.current?.focus();
  }
  function close(what: 'preview' | 'details'): void {
    void navigate({ search: (current) => ({ ...current, [what]: undefined }), replace: true });
    grid.current?.focus({ preventScroll: true });
  }

  const make = {
    onNewFolder: () => setAsking({ kind: 'new-folder' }),
    onUploadFiles: pickers.chooseFiles,
    onUploadFolder: pickers.chooseFolder,
  };
  const error = isSearching ? found.error : folder.error;
  const isLoading = isSearching ? found.items === undefined : folder.data === undefined;

  function summary(): string {
    if (isLoading) return '';
    if (isSearching)
      return found.hasMore
        ? `${t('items', { count: entries.length })} +`
        : t('items', { count: entries.length });
    if (folder.data?.complete === false) return t('loadingMore', { count: children.length });
    if (entries.length !== children.length) {
      return t('itemsOf', { shown: entries.length, count: children.length });
    }
    return t('items', { count: entries.length });
  }

  function body() {
    if (!isSearching && isCairnError(folder.error, 'not-found', 'bad-path', 'not-a-folder')) {
      return (
        <EmptyState
          icon={FolderX}
          title={t('goneTitle')}
          action={
            <FolderLink path={parentPath(path)} className="text-accent-text underline underline-offset-2">
              {t('backToFolder', { folder: t('root') })}
            </FolderLink>
          }
        >
          {t('gone')}
        </EmptyState>
      );
    }
    if (isLoading) {
      if (error === null) return <SkeletonRows count={10} />;
      return <ErrorState error={error} onRetry={isSearching ? found.retry : () => void folder.refetch()} />;
    }
    if (!isSearching && folderEntry?.kind !== 'folder' && folderEntry !== undefined) {
      return (
        <EmptyState
          icon={FolderOpen}
          title={t('notFolder')}
          action={<Button onClick={() => actions.showInFolder(folderEntry)}>{t('showFolder')}</Button>}
        />
      );
    }
    if (entries.length === 0 && isSearching) {
      return (
        <EmptyState icon={Search} title={t('noResultsTitle')}>
          {t('noResults', { query })}
        </EmptyState>
      );
    }
    if (entries.length === 0 && text.trim() !== '') {
      return (
        <EmptyState icon={Search} title={t('noMatchTitle')}>
          {t('noMatch', { query: text })}
        </EmptyState>
      );
    }
    if (entries.length === 0) {
      return (
        <EmptyState
          icon={path === '/' ? Upload : FolderOpen}
          title={path === '/' ? t('emptyRootTitle') : t('emptyTitle')}
          className="h-full"
          action={
            <div className="flex flex-wrap justify-center gap-2">
              <Button look="primary" icon={Upload} onClick={pickers.chooseFiles}>
                {t('uploadFiles')}
              </Button>
              <Button onClick={pickers.chooseFolder}>{t('uploadFolder')}</Button>
            </div>
          }
        >
          {t('empty')}
        </EmptyState>
      );
    }
    return (
      <FileBrowser
        ref={grid}
        model={model}
        view={view}
        order={isSearching ? null : order}
        onOrder={setOrder}
        onNearEnd={isSearching ? found.next : undefined}
        folder={isSearching ? null : (folderEntry ?? null)}
        onUp={() => {
          if (isSearching) clearFind();
          else if (path !== '/') void navigate({ params: { _splat: parentPath(path).slice(1) }, search: {} });
        }}
      />
    );
  }

  return (
    <div className="relative flex h-full">
      <div className="flex min-w-0 flex-1 flex-col">
        <div className="px-4 pt-2.5 md:px-5">
          <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
            <div className="min-w-0 flex-1 basis-60">
              {isSearching ? (
                <h1 className="truncate py-1 font-semibold text-lg">{t('resultsFor', { query })}</h1>
              ) : (
                <Breadcrumbs path={path} dropInto={dropInto} />
              )}
            </div>
            <FindField
              ref={findField}
              value={text}
              onChange={(value) => {
                setText(value);
                if (isSearching && value.trim() === '') find('');
              }}
              onSearch={() => find(text.trim())}
              onClear={clearFind}
              onLeave={() => grid.current?.focus()}
            />
          </div>
          {chosen.length > 0 ? (
            <SelectionBar
              count={chosen.length}
              view={view}
              onView={setView}
              onDownload={() => actions.download(chosen)}
              onMove={() => setAsking({ kind: 'move', entries: chosen })}
              onCopy={() => setAsking({ kind: 'copy', entries: chosen })}
              onRename={onlyChosen === undefined ? null : () => model.setRenamingId(onlyChosen.entryId)}
              onTrash={() => void actions.trash(chosen)}
              onClear={() => model.dispatch({ type: 'clear' })}
            />
          ) : (
            <Toolbar
              summary={summary()}
              view={view}
              onView={setView}
              order={isSearching ? null : order}
              onOrder={setOrder}
              {...(isSearching ? {} : { make })}
            />
          )}
          {!isSearching && text.trim() !== '' && (
            <button
              type="button"
              onClick={() => find(text.trim())}
              className="mb-1 flex w-full items-center gap-2 rounded-lg px-2 py-1.5 text-left text-accent-text text-sm hover:bg-hover"
            >
              <Search aria-hidden className="size-4 shrink-0" />
              <span className="truncate">{t('searchEverywhere', { query: text.trim() })}</span>
            </button>
          )}
        </div>
        <ContextMenu
          entries={
            menuIsOfFolder && folderEntry !== undefined
              ? folderMenu({ model, folder: folderEntry, clipboard, ...make })
              : entryMenu({
                  model,
                  folder: isSearching ? null : (folderEntry ?? null),
                  clipboard,
                  onMove: (targets) => setAsking({ kind: 'move', entries: targets }),
                  onCopy: (targets) => setAsking({ kind: 'copy', entries: targets }),
                })
          }
          disabled={isLoading}
          onOpenChange={(open) => {
            // The menu's button on a touch screen selects only for as long as the menu is open.
            if (!open && menuSelected.current) model.dispatch({ type: 'clear' });
            if (!open) menuSelected.current = false;
          }}
        >
          {/* biome-ignore lint/a11y/noStaticElementInteractions: the menu's keyboard way is in the grid */}
          <div
            className="relative min-h-0 flex-1"
            onContextMenu={(event) => {
              const onEntry = (event.target as Element).closest('[data-entry-id]') !== null;
              if (event.target instanceof HTMLInputElement || (!onEntry && isSearching))
                event.preventDefault();
              setMenuIsOfFolder(!onEntry);
              menuSelected.current =
                onEntry &&
                !event.nativeEvent.isTrusted &&
                isTouchScreen &&
                model.selection.selected.size === 0;
            }}
          >
            {body()}
          </div>
        </ContextMenu>
        {!isSearching && folderEntry !== undefined && (
          <DropZone folderName={folderName} onDrop={(transfer) => void upload(transfer, folderEntry)} />
        )}
      </div>
      <Suspense fallback={null}>
        {detailedEntry !== null && (
          <DetailsPanel entry={detailedEntry} actions={actions} onClose={() => close('details')} />
        )}
        {shownEntry !== null && (
          <PreviewDialog
            entry={shownEntry}
            siblings={entries.filter(({ kind }) => kind === 'file')}
            onClose={() => close('preview')}
          />
        )}
        {asking?.kind === 'new-folder' && folderEntry !== undefined && (
          <FolderNameDialog
            onClose={() => setAsking(null)}
            onCreate={(name) => actions.createFolder(folderEntry, name)}
            onCreated={(created) => {
              setAsking(null);
              setText('');
              model.dispatch({ type: 'only', id: created.entryId });
            }}
          />
        )}
        {(asking?.kind === 'move' || asking?.kind === 'copy') && (
          <ChooseFolderDialog
            kind={asking.kind}
            entries={asking.entries}
            startPath={isSearching ? '/' : path}
            actions={actions}
            onClose={() => setAsking(null)}
            onChoose={(to) => {
              setAsking(null);
              if (asking.kind === 'move') void actions.move(asking.entries, to);
              else void actions.copy(asking.entries, to);
            }}
          />
        )}
      </Suspense>
      {pickers.inputs}
    </div>
  );
}
