import { CloudOff, type LucideIcon, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { isOffline, sayError } from '../api/errors.ts';
import { t } from '../strings/t.ts';
import { Button } from './button.tsx';
import { classNames } from './class-names.ts';

export interface EmptyStateProps {
  readonly icon: LucideIcon;
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
  readonly className?: string;
  /** There is no page with a heading of its own around it. */
  readonly isWholePage?: boolean;
}

/** Nothing is here: why, and what to do. */
export function EmptyState({ icon: Icon, title, children, action, className, isWholePage }: EmptyStateProps) {
  const Heading = isWholePage === true ? 'h1' : 'h2';
  return (
    <div
      className={classNames(
        'flex flex-col items-center justify-center gap-2 px-6 py-14 text-center',
        className,
      )}
    >
      <span className="mb-2 flex size-16 items-center justify-center rounded-full bg-sunken text-quiet">
        <Icon aria-hidden className="size-7" strokeWidth={1.5} />
      </span>
      <Heading className="font-semibold text-lg">{title}</Heading>
      {children !== undefined && <div className="max-w-md text-quiet">{children}</div>}
      {action !== undefined && <div className="mt-3">{action}</div>}
    </div>
  );
}

export interface ErrorStateProps {
  readonly error: unknown;
  readonly onRetry?: (() => void) | undefined;
  readonly title?: string;
}

/** Something failed: what, in words of the server, and another try. */
export function ErrorState({ error, onRetry, title }: ErrorStateProps) {
  const offline = isOffline(error);
  return (
    <div role="alert">
      <EmptyState
        icon={offline ? CloudOff : TriangleAlert}
        title={title ?? (offline ? t('error.offlineTitle') : t('error.title'))}
        action={onRetry !== undefined && <Button onClick={onRetry}>{t('common.tryAgain')}</Button>}
      >
        {sayError(error)}
      </EmptyState>
    </div>
  );
}

/** Holds the place of what is being loaded. */
export function Skeleton({ className }: { readonly className?: string }) {
  return (
    <span
      aria-hidden
      className={classNames('block animate-shimmer rounded-md bg-line', className ?? 'h-4')}
    />
  );
}

/** Rows of a list that is being loaded. */
export function SkeletonRows({ count = 8 }: { readonly count?: number }) {
  return (
    <div role="status" aria-label={t('common.loading')} className="flex flex-col">
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: all alike
        <div key={index} className="flex h-12 items-center gap-3 px-4">
          <Skeleton className="size-6" />
          <Skeleton className={index % 3 === 0 ? 'h-4 w-1/3' : index % 3 === 1 ? 'h-4 w-1/4' : 'h-4 w-2/5'} />
          <Skeleton className="ml-auto hidden h-4 w-20 sm:block" />
        </div>
      ))}
    </div>
  );
}
