import { EllipsisVertical, RotateCcw, Trash2 } from 'lucide-react';
import { baseName, parentPath } from '../../api/paths.ts';
import { Button } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { Checkbox } from '../../ui/field.tsx';
import { formatBytes, formatDate, formatExact, formatRelative } from '../../ui/format.ts';
import { IconButton } from '../../ui/icon-button.tsx';
import { KindIcon } from '../../ui/kind-icon.tsx';
import { Menu } from '../../ui/menu.tsx';
import { shownName } from '../../ui/shown-name.ts';
import { t } from './strings.ts';
import type { TrashItem } from './trash-data.ts';

export interface TrashRowProps {
  readonly item: TrashItem;
  readonly isSelected: boolean;
  readonly isBusy: boolean;
  readonly isOffline: boolean;
  readonly onSelect: (isSelected: boolean) => void;
  readonly onRestore: () => void;
  readonly onPurge: () => void;
}

/** A folder as people call it. */
export function nameFolder(path: string): string {
  return path === '/' ? t('topFolder') : baseName(path);
}

export function TrashRow(props: TrashRowProps) {
  const { item } = props;
  const folder = parentPath(item.path);
  return (
    <div
      className={classNames(
        'flex items-center gap-3 border-line border-b px-4 py-2.5',
        props.isSelected ? 'bg-accent-soft' : 'hover:bg-hover/60',
      )}
    >
      <Checkbox
        hideLabel
        label={t('select', { name: item.name })}
        checked={props.isSelected}
        onChange={props.onSelect}
        className="-m-2 p-2"
      />
      <KindIcon kind={item.kind} />
      <div className="min-w-0 flex-1">
        <p className="truncate" title={item.name}>
          {shownName(item.name)}
        </p>
        <p className="truncate text-quiet text-sm">
          <span title={folder}>{t('wasIn', { folder: folder === '/' ? t('topFolder') : folder })}</span>
          <span className="max-sm:hidden">
            {' · '}
            <DeletedBy item={item} />
          </span>
        </p>
        <p className="break-words text-quiet text-sm sm:hidden">
          <DeletedBy item={item} />
        </p>
        <p className="break-words text-quiet text-sm lg:hidden">
          {item.sizeBytes === null ? '' : `${formatBytes(item.sizeBytes)} · `}
          {sayUntil(item)}
        </p>
      </div>
      <span className="w-44 shrink-0 text-right text-quiet text-sm max-lg:hidden">
        <span className="block tabular-nums">{formatBytes(item.sizeBytes)}</span>
        <span className="block">{sayUntil(item)}</span>
      </span>
      <Button
        small
        busy={props.isBusy}
        disabled={props.isOffline}
        onClick={props.onRestore}
        aria-label={t('restoreOne', { name: item.name })}
        className="max-sm:hidden"
      >
        {t('restore')}
      </Button>
      <Menu
        trigger={<IconButton icon={EllipsisVertical} noTooltip label={t('actions', { name: item.name })} />}
        entries={[
          { label: t('restore'), icon: RotateCcw, disabled: props.isOffline, onSelect: props.onRestore },
          'line',
          {
            label: t('purge'),
            icon: Trash2,
            danger: true,
            disabled: props.isOffline,
            onSelect: props.onPurge,
          },
        ]}
      />
    </div>
  );
}

function DeletedBy({ item }: { readonly item: TrashItem }) {
  return (
    <time dateTime={new Date(item.trashedAt).toISOString()} title={formatExact(item.trashedAt)}>
      {t('deletedBy', { when: formatRelative(item.trashedAt), device: item.deviceName })}
    </time>
  );
}

function sayUntil(item: TrashItem): string {
  if (item.expiresAt === null) return t('keptForGood');
  if (item.expiresAt <= Date.now()) return t('untilToday');
  return t('until', { date: formatDate(item.expiresAt) });
}
