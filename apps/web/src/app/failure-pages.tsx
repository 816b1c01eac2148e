import { type ErrorComponentProps, Link } from '@tanstack/react-router';
import { Compass, TriangleAlert } from 'lucide-react';
import { t } from '../strings/t.ts';
import { Button } from '../ui/button.tsx';
import { EmptyState } from '../ui/states.tsx';

/** An address without a page. */
export function NotFoundPage() {
  return (
    <EmptyState
      isWholePage
      icon={Compass}
      title={t('error.notFoundTitle')}
      action={
        <Link to="/files/$" params={{ _splat: '' }} className="text-accent-text underline underline-offset-2">
          {t('error.toFiles')}
        </Link>
      }
    >
      {t('error.notFound')}
    </EmptyState>
  );
}

/** A screen whose code failed; the rest of the app stays. */
export function CrashPage({ reset }: ErrorComponentProps) {
  return (
    <div role="alert">
      <EmptyState
        isWholePage
        icon={TriangleAlert}
        title={t('error.crashTitle')}
        action={
          <div className="flex gap-2">
            <Button onClick={reset}>{t('common.tryAgain')}</Button>
            <Button look="primary" onClick={() => window.location.reload()}>
              {t('error.reload')}
            </Button>
          </div>
        }
      >
        {t('error.unknown')}
      </EmptyState>
    </div>
  );
}
