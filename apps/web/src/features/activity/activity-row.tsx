import type { ActivityItem } from '@cairn/protocol';
import { Link } from '@tanstack/react-router';
import {
  ArrowRightLeft,
  ChevronDown,
  ChevronUp,
  FilePlus2,
  type LucideIcon,
  MonitorSmartphone,
  Pencil,
  RotateCcw,
  TextCursorInput,
  Trash2,
} from 'lucide-react';
import { parentPath } from '../../api/paths.ts';
import { useAccount } from '../../api/use-session.ts';
import { FolderLink } from '../../app/folder-link.tsx';
import { classNames } from '../../ui/class-names.ts';
import { formatDate, formatExact, formatTime } from '../../ui/format.ts';
import { shownName } from '../../ui/shown-name.ts';
import type { ActivityRow } from './activity-rows.ts';
import { type ActivityBurst, type ActivityKind, startOfDay } from './group-activity.ts';
import { t } from './strings.ts';

const ICONS: Readonly<Record<ActivityKind, { readonly icon: LucideIcon; readonly look: string }>> = {
  created: { icon: FilePlus2, look: 'bg-good-soft text-good' },
  edited: { icon: Pencil, look: 'bg-accent-soft text-accent-text' },
  moved: { icon: ArrowRightLeft, look: 'bg-hover text-quiet' },
  renamed: { icon: TextCursorInput, look: 'bg-hover text-quiet' },
  deleted: { icon: Trash2, look: 'bg-danger-soft text-danger' },
  restored: { icon: RotateCcw, look: 'bg-warn-soft text-warn' },
};

export interface ActivityRowProps {
  readonly row: ActivityRow;
  readonly onToggleBurst: (key: string) => void;
}

export function ActivityRowView({ row, onToggleBurst }: ActivityRowProps) {
  switch (row.type) {
    case 'day':
      return <h2 className="pt-6 pb-2 font-semibold text-lg">{nameDay(row.dayAt)}</h2>;
    case 'burst':
      return <BurstHead burst={row.burst} />;
    case 'item':
      return <Item item={row.item} isLast={row.isLast} />;
    case 'more':
      return (
        <div className="mb-3 rounded-b-xl border-line border-x border-b bg-surface">
          <button
            type="button"
            onClick={() => onToggleBurst(row.burstKey)}
            className="flex w-full items-center gap-3 rounded-b-xl px-4 py-2 text-accent-text text-sm hover:bg-hover"
          >
            <span className="flex w-7 justify-center">
              {row.hidden > 0 ? (
                <ChevronDown aria-hidden className="size-4" />
              ) : (
                <ChevronUp aria-hidden className="size-4" />
              )}
            </span>
            {row.hidden > 0 ? t('more', { count: row.hidden }) : t('less')}
          </button>
        </div>
      );
  }
}

function nameDay(dayAt: number): string {
  const today = startOfDay(Date.now());
  if (dayAt === today) return t('today');
  // Not 24 hours before: days have 23 or 25 when clocks change.
  return dayAt === startOfDay(today - 1) ? t('yesterday') : formatDate(dayAt);
}

function BurstHead({ burst }: { readonly burst: ActivityBurst<ActivityItem> }) {
  const { me, rootId } = useAccount();
  const [newest] = burst.items;
  if (newest === undefined) return null;
  const { deviceName, username } = newest;
  const who = username === me.user.username ? deviceName : t('by', { user: username, device: deviceName });
  const [first, last] = [formatTime(burst.firstAt), formatTime(burst.lastAt)];
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-0.5 rounded-t-xl border border-line bg-sunken px-4 py-2">
      <MonitorSmartphone aria-hidden className="size-4.5 shrink-0 text-quiet" strokeWidth={1.75} />
      <h3 className="min-w-0 truncate font-medium">{who}</h3>
      <span className="text-quiet text-sm max-sm:order-last max-sm:basis-full max-sm:pl-7.5">
        {burst.counts.map(({ kind, count }) => t(`count.${kind}`, { count })).join(', ')}
      </span>
      <span className="flex-1" />
      <Link
        to="/rewind/$entryId"
        params={{ entryId: rootId }}
        search={{ at: burst.lastAt }}
        title={t('rewind')}
        className="text-quiet text-sm tabular-nums hover:text-ink hover:underline"
      >
        <span className="sr-only">{t('rewind')}: </span>
        <time dateTime={new Date(burst.lastAt).toISOString()}>
          {first === last ? last : `${first} – ${last}`}
        </time>
      </Link>
    </div>
  );
}

function Item({ item, isLast }: { readonly item: ActivityItem; readonly isLast: boolean }) {
  const { icon: Icon, look } = ICONS[item.kind];
  return (
    <div
      className={classNames(
        'flex items-center gap-3 border-line border-x border-b bg-surface px-4 py-2',
        isLast && 'mb-3 rounded-b-xl',
      )}
    >
      <span className={classNames('flex size-7 shrink-0 items-center justify-center rounded-full', look)}>
        <Icon aria-hidden className="size-3.5" />
      </span>
      <p className="min-w-0 flex-1 break-words">
        <span className="text-quiet">{t(item.kind)} </span>
        <EntryName item={item} />
        <span className="text-quiet"> {describePlace(item)}</span>
      </p>
      <time
        dateTime={new Date(item.committedAt).toISOString()}
        title={formatExact(item.committedAt)}
        className="shrink-0 text-quiet text-sm tabular-nums max-sm:hidden"
      >
        {formatTime(item.committedAt)}
      </time>
    </div>
  );
}

function EntryName({ item }: { readonly item: ActivityItem }) {
  const { name, path, kind, entryId } = item.entry;
  const look = 'font-medium hover:underline';
  if (path === null) {
    if (item.kind !== 'deleted') return <span className="font-medium">{shownName(name)}</span>;
    return (
      <Link to="/trash" className={look}>
        {shownName(name)}
      </Link>
    );
  }
  if (kind === 'folder') {
    return (
      <FolderLink path={path} className={look}>
        {shownName(name)}
      </FolderLink>
    );
  }
  return (
    <Link
      to="/files/$"
      params={{ _splat: parentPath(path).replace(/^\//, '') }}
      search={{ details: entryId }}
      className={look}
    >
      {shownName(name)}
    </Link>
  );
}

function nameFolder(path: string): string {
  return path === '/' ? t('topFolder') : path;
}

function describePlace({ kind, entry, fromPath }: ActivityItem): string {
  const where = entry.path === null ? null : t('inFolder', { folder: nameFolder(parentPath(entry.path)) });
  if (fromPath !== undefined && kind === 'renamed') {
    const before = t('nowTo', { name: fromPath.slice(fromPath.lastIndexOf('/') + 1) });
    return where === null ? `(${before})` : `(${before}) ${where}`;
  }
  if (fromPath !== undefined && kind === 'moved') {
    const from = t('from', { path: nameFolder(parentPath(fromPath)) });
    return where === null ? from : `${from}, ${where}`;
  }
  if (where !== null) return where;
  return kind === 'deleted' ? '' : `(${t('gone')})`;
}
