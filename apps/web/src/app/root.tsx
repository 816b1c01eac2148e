import { lazy, Suspense } from 'react';
import { startSession } from '../api/session.ts';
import { useSession } from '../api/use-session.ts';
import { t } from '../strings/t.ts';
import { ErrorState } from '../ui/states.tsx';
import { Logo } from './logo.tsx';
import { Shell } from './shell.tsx';

const SignInPage = lazy(async () => ({
  default: (await import('../features/sign-in/sign-in-page.tsx')).SignInPage,
}));

function Splash() {
  return (
    <div role="status" aria-label={t('common.loading')} className="flex h-full items-center justify-center">
      <Logo className="size-14 animate-shimmer" />
    </div>
  );
}

/** Shows the app to who is signed in, and the sign-in page, at the same address, to everybody else. */
export function Root() {
  const session = useSession();
  switch (session.status) {
    case 'starting':
      return <Splash />;
    case 'unreachable':
      return (
        <main className="flex h-full items-center justify-center">
          <ErrorState error={session.error} onRetry={() => void startSession()} />
        </main>
      );
    case 'signed-out':
      return (
        <Suspense fallback={<Splash />}>
          <SignInPage reason={session.reason} />
        </Suspense>
      );
    case 'signed-in':
      return <Shell key={session.me.user.userId} />;
  }
}
