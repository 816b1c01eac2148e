import type { DeviceDescription } from '@cairn/protocol';
import { Link } from '@tanstack/react-router';
import { Globe, MonitorSmartphone } from 'lucide-react';
import { formatExact, formatRelative } from '../../ui/format.ts';
import { Card } from '../../ui/page.tsx';
import { ErrorState, SkeletonRows } from '../../ui/states.tsx';
import { Dot } from './dot.tsx';
import { useDeviceStates } from './health-data.ts';
import type { Light } from './node-states.ts';
import { t } from './strings.ts';

/** Seen this recently counts as here now. */
const HERE_MS = 2 * 60_000;

/** The devices of the account: when each was seen last, and whether its folder is in sync. */
export function DevicesCard() {
  const devices = useDeviceStates();
  const shown = (devices.data ?? [])
    .filter(({ revokedAt }) => revokedAt === null)
    .sort((one, other) => Number(other.current) - Number(one.current) || other.lastSeenAt - one.lastSeenAt);
  return (
    <Card
      title={t('devices')}
      actions={
        <Link to="/settings" className="rounded text-accent-text text-sm hover:underline">
          {t('allDevices')}
        </Link>
      }
    >
      {devices.data === undefined ? (
        devices.error === null ? (
          <SkeletonRows count={3} />
        ) : (
          <ErrorState error={devices.error} onRetry={() => void devices.refetch()} />
        )
      ) : (
        <ul aria-label={t('devicesLabel')} className="divide-y divide-line pb-1">
          {shown.map((device) => (
            <DeviceRow key={device.deviceId} device={device} />
          ))}
        </ul>
      )}
      {shown.length === 1 && <p className="px-4 pb-4 text-quiet text-sm">{t('noDevices')}</p>}
    </Card>
  );
}

function DeviceRow({ device }: { readonly device: DeviceDescription }) {
  const Icon = device.current ? Globe : MonitorSmartphone;
  const sync = describeSync(device);
  const isHere = device.current || Date.now() - device.lastSeenAt < HERE_MS;
  return (
    <li className="flex items-center gap-3 px-4 py-2.5">
      <Icon aria-hidden className="size-5.5 shrink-0 text-quiet" strokeWidth={1.6} />
      <div className="min-w-0 flex-1">
        <p className="truncate">
          {device.name}
          {device.current && <span className="text-quiet"> · {t('thisBrowser')}</span>}
        </p>
        <p className="truncate text-quiet text-sm">
          <time dateTime={new Date(device.lastSeenAt).toISOString()} title={formatExact(device.lastSeenAt)}>
            {isHere ? t('seenNow') : t('lastSeen', { when: formatRelative(device.lastSeenAt) })}
          </time>
          {sync.at !== null && ` · ${t('sync.at', { when: formatRelative(sync.at) })}`}
        </p>
      </div>
      {sync.words !== null && (
        <span className="flex shrink-0 items-center gap-2 text-sm">
          {sync.light !== null && <Dot light={sync.light} />}
          {sync.words}
        </span>
      )}
    </li>
  );
}

interface SyncState {
  readonly words: string | null;
  readonly light: Light | null;
  readonly at: number | null;
}

/** What is known of a device's folder. Devices that only look, such as browsers, have none. */
function describeSync(device: DeviceDescription): SyncState {
  const { lastSyncAt, behindBy } = device as DeviceDescription & {
    readonly lastSyncAt?: number | null;
    readonly behindBy?: number | null;
  };
  if (lastSyncAt === undefined || lastSyncAt === null) return { words: null, light: null, at: null };
  if (behindBy === undefined || behindBy === null) return { words: null, light: null, at: lastSyncAt };
  if (behindBy === 0) return { words: t('sync.now'), light: 'good', at: lastSyncAt };
  return { words: t('sync.behind', { count: behindBy }), light: 'warn', at: lastSyncAt };
}
