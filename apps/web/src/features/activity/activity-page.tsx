import { Activity } from 'lucide-react';
import { useCallback, useMemo, useState } from 'react';
import { Button } from '../../ui/button.tsx';
import { Select } from '../../ui/field.tsx';
import { Page } from '../../ui/page.tsx';
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/states.tsx';
import { usePageList } from '../../ui/use-page-list.ts';
import { useActivity, useDevices } from './activity-data.ts';
import { ActivityRowView } from './activity-row.tsx';
import { type ActivityRow, toRows } from './activity-rows.ts';
import { groupActivity } from './group-activity.ts';
import { t } from './strings.ts';

const ALL = '';
const ROW_PX = 48;
/** With a filter, so many pages are read by themselves; then somebody must want more. */
const MAX_PAGES_BY_ITSELF = 10;

/** Who changed what from which device. */
export function ActivityPage() {
  const activity = useActivity();
  const [deviceId, setDeviceId] = useState<string>(ALL);
  const [openBursts, setOpenBursts] = useState<ReadonlySet<string>>(new Set());
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = activity;
  const items = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
  const rows = useMemo(() => {
    const shown = deviceId === ALL ? items : items.filter((item) => item.deviceId === deviceId);
    return toRows(groupActivity(shown), openBursts);
  }, [items, deviceId, openBursts]);

  const pages = data?.pages.length ?? 0;
  const loadMore = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const loadsByItself = deviceId === ALL || pages < MAX_PAGES_BY_ITSELF;

  function toggleBurst(key: string): void {
    const next = new Set(openBursts);
    if (!next.delete(key)) next.add(key);
    setOpenBursts(next);
  }

  return (
    <Page
      title={t('title')}
      description={t('description')}
      actions={items.length > 0 && <DeviceFilter items={items} value={deviceId} onChange={setDeviceId} />}
    >
      {data === undefined ? (
        activity.isError ? (
          <ErrorState error={activity.error} onRetry={() => void activity.refetch()} />
        ) : (
          <SkeletonRows count={10} />
        )
      ) : items.length === 0 ? (
        <EmptyState icon={Activity} title={t('emptyTitle')}>
          {t('empty')}
        </EmptyState>
      ) : (
        <>
          {rows.length === 0 ? (
            <EmptyState icon={Activity} title={t('noneTitle')}>
              {t('none')}
            </EmptyState>
          ) : (
            <ActivityList
              rows={rows}
              onEnd={loadsByItself ? loadMore : undefined}
              onToggleBurst={toggleBurst}
            />
          )}
          {isFetchingNextPage ? (
            <SkeletonRows count={3} />
          ) : hasNextPage ? (
            <div className="mt-4 text-center">
              <Button onClick={loadMore}>{t('older')}</Button>
            </div>
          ) : (
            <p className="mt-6 text-center text-quiet text-sm">{t('begin')}</p>
          )}
        </>
      )}
    </Page>
  );
}

interface DeviceFilterProps {
  readonly items: readonly { readonly deviceId: string; readonly deviceName: string }[];
  readonly value: string;
  readonly onChange: (deviceId: string) => void;
}

function DeviceFilter({ items, value, onChange }: DeviceFilterProps) {
  const devices = useDevices();
  const options = useMemo(() => {
    const names = new Map<string, string>(items.map(({ deviceId, deviceName }) => [deviceId, deviceName]));
    for (const { deviceId, name, current } of devices.data ?? []) {
      names.set(deviceId, current ? t('thisDevice', { name }) : name);
    }
    const sorted = [...names].sort(([, one], [, other]) => one.localeCompare(other));
    return [
      { value: ALL, label: t('allDevices') },
      ...sorted.map(([deviceId, label]) => ({ value: deviceId, label })),
    ];
  }, [items, devices.data]);
  return (
    <Select
      hideLabel
      label={t('device')}
      value={value}
      options={options}
      onChange={onChange}
      className="max-w-60"
    />
  );
}

interface ActivityListProps {
  readonly rows: readonly ActivityRow[];
  readonly onEnd: (() => void) | undefined;
  readonly onToggleBurst: (key: string) => void;
}

function ActivityList({ rows, onEnd, onToggleBurst }: ActivityListProps) {
  const { listRef, virtualizer, offsetPx } = usePageList({
    count: rows.length,
    estimatePx: ROW_PX,
    keyOf: (index) => rows[index]?.key ?? String(index),
    onEnd,
  });
  return (
    <section aria-label={t('listLabel')}>
      <div ref={listRef} className="relative" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map(({ index, key, start }) => {
          const row = rows[index];
          if (row === undefined) return null;
          return (
            <div
              key={key}
              data-index={index}
              ref={virtualizer.measureElement}
              className="absolute inset-x-0 top-0"
              style={{ transform: `translateY(${start - offsetPx}px)` }}
            >
              <ActivityRowView row={row} onToggleBurst={onToggleBurst} />
            </div>
          );
        })}
      </div>
    </section>
  );
}
