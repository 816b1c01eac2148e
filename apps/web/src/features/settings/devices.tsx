import { type DeviceDescription, devicesResponseSchema } from '@cairn/protocol';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Globe, Laptop } from 'lucide-react';
import { useState } from 'react';
import { sayError } from '../../api/errors.ts';
import { queryClient } from '../../api/query-client.ts';
import { apiPath, ask, tell } from '../../api/request.ts';
import { leaveBy } from '../../api/session.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { formatDate, formatExact, formatRelative } from '../../ui/format.ts';
import { Card, ListRow } from '../../ui/page.tsx';
import { ErrorState, SkeletonRows } from '../../ui/states.tsx';
import { showToast } from '../../ui/toast-store.ts';
import { t } from './strings.ts';

const REFRESH_MS = 30_000;
const BROWSER = /\b(Firefox|Chrome|Safari|Edge|Opera|Browser)\b/;

/** What is signed in to the account, and a way to sign it out. */
export function Devices() {
  const [asked, setAsked] = useState<DeviceDescription | null>(null);
  const devices = useQuery({
    queryKey: ['devices', 'settings'],
    queryFn: async ({ signal }) => (await ask('/devices', devicesResponseSchema, { signal })).devices,
    refetchInterval: REFRESH_MS,
  });
  const revoke = useMutation({
    mutationFn: (device: DeviceDescription) => {
      const act = () => tell(apiPath`/devices/${device.deviceId}`, { method: 'DELETE' });
      return device.current ? leaveBy(act) : act();
    },
    onSuccess: async (_nothing, device) => {
      setAsked(null);
      if (device.current) return;
      showToast(t('revokedDone', { name: device.name }), { tone: 'good' });
      await queryClient.invalidateQueries({ queryKey: ['devices'] });
    },
    onError: (error) => showToast(sayError(error), { tone: 'danger' }),
  });
  const active = (devices.data ?? []).filter(({ revokedAt }) => revokedAt === null);
  const revoked = (devices.data ?? []).filter(({ revokedAt }) => revokedAt !== null);
  active.sort(
    (one, other) => Number(other.current) - Number(one.current) || other.lastSeenAt - one.lastSeenAt,
  );

  return (
    <Card title={t('devices')}>
      <p className="px-4 pb-2 text-quiet text-sm">{t('devicesHint')}</p>
      {devices.data === undefined ? (
        devices.isError ? (
          <ErrorState error={devices.error} onRetry={() => void devices.refetch()} />
        ) : (
          <SkeletonRows count={3} />
        )
      ) : (
        <>
          <ul aria-label={t('devices')} className="divide-y divide-line border-line border-t">
            {active.map((device) => (
              <DeviceRow key={device.deviceId} device={device} onRevoke={() => setAsked(device)} />
            ))}
          </ul>
          {revoked.length > 0 && (
            <details className="border-line border-t px-4 py-2 text-quiet text-sm">
              <summary className="py-1">{t('revokedTitle', { count: revoked.length })}</summary>
              <ul>
                {revoked.map((device) => (
                  <li key={device.deviceId} className="flex gap-3 py-1">
                    <span className="min-w-0 flex-1 truncate">{device.name}</span>
                    {device.revokedAt !== null && t('revoked', { when: formatDate(device.revokedAt) })}
                  </li>
                ))}
              </ul>
            </details>
          )}
        </>
      )}
      {asked !== null && (
        <ConfirmDialog
          danger
          title={t('revokeTitle', { name: asked.name })}
          description={asked.current ? t('revokeOwnText') : t('revokeText')}
          action={t('revoke')}
          busy={revoke.isPending}
          onConfirm={() => revoke.mutate(asked)}
          onClose={() => setAsked(null)}
        />
      )}
    </Card>
  );
}

function DeviceRow({
  device,
  onRevoke,
}: {
  readonly device: DeviceDescription;
  readonly onRevoke: () => void;
}) {
  const Icon = BROWSER.test(device.name) ? Globe : Laptop;
  return (
    <ListRow
      icon={<Icon aria-hidden className="size-5 shrink-0 text-quiet" strokeWidth={1.75} />}
      title={
        <span className="flex flex-wrap items-center gap-x-2">
          <span className="min-w-0 truncate font-medium">{device.name}</span>
          {device.current && <Badge tone="accent">{t('current')}</Badge>}
        </span>
      }
      detail={
        <span title={formatExact(device.lastSeenAt)}>
          {t('lastSeen', { when: formatRelative(device.lastSeenAt) })} ·{' '}
          {t('addedOn', { when: formatDate(device.createdAt) })}
        </span>
      }
      end={
        <Button small aria-label={t('revokeOf', { name: device.name })} onClick={onRevoke}>
          {t('revoke')}
        </Button>
      }
    />
  );
}
