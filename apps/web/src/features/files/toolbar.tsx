import {
  ArrowDownUp,
  Copy,
  Download,
  FolderInput,
  FolderPlus,
  FolderUp,
  LayoutGrid,
  List,
  Pencil,
  Plus,
  Trash2,
  Upload,
  X,
} from 'lucide-react';
import { useIsNarrow } from '../../state/use-media.ts';
import { Button } from '../../ui/button.tsx';
import { formatCount } from '../../ui/format.ts';
import { IconButton } from '../../ui/icon-button.tsx';
import { Menu } from '../../ui/menu.tsx';
import { SORT_ORDERS, type SortOrder } from './sort-entries.ts';
import { t } from './strings.ts';

const ORDER_WORDS = {
  'name-up': 'orderNameUp',
  'name-down': 'orderNameDown',
  'size-up': 'orderSizeUp',
  'size-down': 'orderSizeDown',
  'modified-up': 'orderModifiedUp',
  'modified-down': 'orderModifiedDown',
} as const;

export interface ToolbarProps {
  /** What is said of the list, such as how many items it has. */
  readonly summary: string;
  readonly view: 'list' | 'grid';
  readonly onView: (view: 'list' | 'grid') => void;
  readonly order: SortOrder | null;
  readonly onOrder: (order: SortOrder) => void;
  /** Absent while results of a search are shown. */
  readonly make?: {
    readonly onNewFolder: () => void;
    readonly onUploadFiles: () => void;
    readonly onUploadFolder: () => void;
  };
}

/** What can be done with the folder, and how it is shown. */
export function Toolbar({ summary, view, onView, order, onOrder, make }: ToolbarProps) {
  const narrow = useIsNarrow();
  return (
    <div className="flex h-12 items-center gap-1.5">
      {make !== undefined && !narrow && (
        <>
          <Menu
            align="start"
            trigger={
              <Button look="primary" icon={Upload}>
                {t('upload')}
              </Button>
            }
            entries={[
              { label: t('uploadFiles'), icon: Upload, onSelect: make.onUploadFiles },
              { label: t('uploadFolder'), icon: FolderUp, onSelect: make.onUploadFolder },
            ]}
          />
          <Button icon={FolderPlus} onClick={make.onNewFolder}>
            {t('newFolder')}
          </Button>
        </>
      )}
      <p role="status" className="min-w-0 flex-1 truncate px-1.5 text-quiet text-sm">
        {summary}
      </p>
      {order !== null && (
        <Menu
          trigger={<IconButton icon={ArrowDownUp} label={t('order')} />}
          entries={SORT_ORDERS.map((choice) => ({
            label: t(ORDER_WORDS[choice]),
            checked: choice === order,
            onSelect: () => onOrder(choice),
          }))}
        />
      )}
      <ViewButton view={view} onView={onView} />
      {make !== undefined && narrow && (
        <Menu
          trigger={
            <Button look="primary" icon={Plus}>
              {t('new')}
            </Button>
          }
          entries={[
            { label: t('uploadFiles'), icon: Upload, onSelect: make.onUploadFiles },
            { label: t('uploadFolder'), icon: FolderUp, onSelect: make.onUploadFolder },
            { label: t('newFolder'), icon: FolderPlus, onSelect: make.onNewFolder },
          ]}
        />
      )}
    </div>
  );
}

export interface SelectionBarProps extends Pick<ToolbarProps, 'view' | 'onView'> {
  readonly count: number;
  readonly onDownload: () => void;
  readonly onMove: () => void;
  readonly onCopy: () => void;
  /** Only one entry can be renamed at a time. */
  readonly onRename: (() => void) | null;
  readonly onTrash: () => void;
  readonly onClear: () => void;
}

/** Takes the toolbar's place while something is selected. */
export function SelectionBar(props: SelectionBarProps) {
  const buttons = [
    { icon: Download, label: t('download'), act: props.onDownload },
    { icon: FolderInput, label: t('move'), act: props.onMove },
    { icon: Copy, label: t('copy'), act: props.onCopy },
    ...(props.onRename === null ? [] : [{ icon: Pencil, label: t('rename'), act: props.onRename }]),
    { icon: Trash2, label: t('delete'), act: props.onTrash },
  ];
  return (
    <div className="flex h-12 items-center gap-1.5">
      <div
        role="toolbar"
        aria-label={t('selected', { count: props.count })}
        className="@container flex min-w-0 flex-1 animate-fade-in items-center gap-0.5 rounded-xl bg-accent-soft px-1"
      >
        <IconButton icon={X} label={t('clearSelection')} onClick={props.onClear} />
        <p role="status" className="min-w-0 flex-1 truncate px-1 font-medium text-accent-text">
          <span aria-hidden className="@md:hidden">
            {formatCount(props.count)}
          </span>
          <span className="sr-only @md:not-sr-only">{t('selected', { count: props.count })}</span>
        </p>
        {buttons.map(({ icon, label, act }) => (
          <Button key={label} look="quiet" small icon={icon} aria-label={label} title={label} onClick={act}>
            <span className="hidden @2xl:inline">{label}</span>
          </Button>
        ))}
      </div>
      <ViewButton view={props.view} onView={props.onView} />
    </div>
  );
}

function ViewButton({ view, onView }: Pick<ToolbarProps, 'view' | 'onView'>) {
  const isGrid = view === 'grid';
  return (
    <IconButton
      icon={isGrid ? List : LayoutGrid}
      label={isGrid ? t('viewList') : t('viewGrid')}
      onClick={() => onView(isGrid ? 'list' : 'grid')}
    />
  );
}
