import { Cloud, CloudOff, LoaderCircle } from 'lucide-react';
import { useConnection } from '../api/use-connection.ts';
import { t } from '../strings/t.ts';
import { classNames } from '../ui/class-names.ts';

/** A word on whether this page is up to date. */
export function ConnectionState({ className }: { readonly className?: string }) {
  const connection = useConnection();
  const [Icon, text] =
    connection === 'live'
      ? ([Cloud, t('connection.live')] as const)
      : connection === 'connecting'
        ? ([LoaderCircle, t('connection.connecting')] as const)
        : ([CloudOff, t('connection.offline')] as const);
  return (
    <p
      role="status"
      data-connection={connection}
      className={classNames('flex items-center gap-2 text-quiet text-sm', className)}
    >
      <Icon aria-hidden className={classNames('size-4', connection === 'connecting' && 'animate-spin')} />
      {text}
    </p>
  );
}

/** Says across the page that what it shows may be old. */
export function ConnectionBanner() {
  const connection = useConnection();
  if (connection !== 'offline' && connection !== 'unreachable') return null;
  return (
    <div role="status" className="flex items-center gap-2.5 bg-warn-soft px-4 py-2 text-sm text-warn">
      <CloudOff aria-hidden className="size-4 shrink-0" />
      {connection === 'offline' ? t('connection.offlineBanner') : t('connection.unreachableBanner')}
    </div>
  );
}
