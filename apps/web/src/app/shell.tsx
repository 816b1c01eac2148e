import { Link, Outlet, useNavigate } from '@tanstack/react-router';
import { ChevronsUpDown, LogOut, Settings } from 'lucide-react';
import { lazy, Suspense, useEffect } from 'react';
import { sayLogOutError } from '../api/errors.ts';
import { followSpace } from '../api/live.ts';
import { logOut } from '../api/session.ts';
import { useAccount } from '../api/use-session.ts';
import { useIsNarrow } from '../state/use-media.ts';
import { t } from '../strings/t.ts';
import { Menu } from '../ui/menu.tsx';
import { showToast } from '../ui/toast-store.ts';
import { ConnectionBanner, ConnectionState } from './connection-state.tsx';
import { Logo } from './logo.tsx';
import { NAVIGATION, type NavigationItem } from './navigation.ts';

const UploadTray = lazy(async () => ({
  default: (await import('../features/uploads/upload-tray.tsx')).UploadTray,
}));

function NavigationLink({ item, narrow }: { readonly item: NavigationItem; readonly narrow: boolean }) {
  const { icon: Icon } = item;
  const look = narrow
    ? 'flex min-w-0 flex-1 flex-col items-center gap-0.5 rounded-lg px-0.5 py-1.5 text-quiet text-[0.6875rem] data-[status=active]:font-medium data-[status=active]:text-accent-text'
    : 'flex h-9.5 items-center gap-3 rounded-lg px-3 text-quiet transition-colors hover:bg-hover hover:text-ink data-[status=active]:bg-accent-soft data-[status=active]:font-medium data-[status=active]:text-accent-text';
  const options = item.to === '/files/$' ? { params: { _splat: '' } } : {};
  return (
    <Link to={item.to} {...options} activeOptions={{ includeSearch: false, exact: false }} className={look}>
      <Icon aria-hidden className={narrow ? 'size-5.5' : 'size-4.5'} strokeWidth={1.75} />
      <span className="max-w-full truncate">{narrow ? item.shortLabel : item.label}</span>
    </Link>
  );
}

function AccountMenu() {
  const { me } = useAccount();
  const navigate = useNavigate();
  return (
    <Menu
      align="start"
      trigger={
        <button
          type="button"
          // Begins as people call it, and has all that is written on it.
          aria-label={`${t('nav.account', { name: me.user.username })} ${me.device.name}`}
          className="flex w-full items-center gap-2.5 rounded-lg p-2 text-left hover:bg-hover"
        >
          <span
            aria-hidden
            // A picture, and no part of what is written on the button.
            data-initial={[...me.user.username][0]}
            className="flex size-8 shrink-0 items-center justify-center rounded-full bg-accent-soft font-semibold text-accent-text uppercase before:content-[attr(data-initial)]"
          />
          <span className="min-w-0 flex-1">
            <span className="block truncate font-medium text-sm">{me.user.username}</span>{' '}
            <span className="block truncate text-quiet text-xs">{me.device.name}</span>
          </span>
          <ChevronsUpDown aria-hidden className="size-4 text-quiet" />
        </button>
      }
      entries={[
        { label: t('nav.settings'), icon: Settings, onSelect: () => void navigate({ to: '/settings' }) },
        {
          label: t('nav.logOut'),
          icon: LogOut,
          onSelect: () => {
            logOut().catch((error: unknown) => showToast(sayLogOutError(error), { tone: 'danger' }));
          },
        },
      ]}
    />
  );
}

/** The frame around every page: navigation, the state of the connection, the uploads. */
export function Shell() {
  const { spaceId } = useAccount();
  const narrow = useIsNarrow();
  useEffect(() => followSpace(spaceId), [spaceId]);
  return (
    <div className="flex h-full flex-col md:flex-row">
      <a
        href="#main"
        className="sr-only z-60 rounded-lg bg-raised px-4 py-2 shadow-raised focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        {t('app.skip')}
      </a>
      {!narrow && (
        <header className="flex w-58 shrink-0 flex-col border-line border-r bg-sunken px-3 pt-4 pb-2">
          <Link
            to="/files/$"
            params={{ _splat: '' }}
            className="mb-4 flex items-center gap-2 rounded-lg px-2 font-semibold text-lg tracking-tight"
          >
            <Logo className="size-8" />
            {t('app.name')}
          </Link>
          <nav aria-label={t('nav.label')} className="flex flex-1 flex-col gap-0.5">
            {NAVIGATION.map((item) => (
              <NavigationLink key={item.to} item={item} narrow={false} />
            ))}
          </nav>
          <ConnectionState className="px-2 py-2" />
          <AccountMenu />
        </header>
      )}
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">
        <ConnectionBanner />
        <main id="main" tabIndex={-1} className="relative min-h-0 flex-1 outline-none">
          <Outlet />
        </main>
        <Suspense fallback={null}>
          <UploadTray />
        </Suspense>
      </div>
      {narrow && (
        <nav
          aria-label={t('nav.label')}
          className="flex shrink-0 border-line border-t bg-surface px-1 pb-[env(safe-area-inset-bottom)]"
        >
          {NAVIGATION.map((item) => (
            <NavigationLink key={item.to} item={item} narrow />
          ))}
        </nav>
      )}
    </div>
  );
}
