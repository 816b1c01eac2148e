import { CircleCheckBig } from 'lucide-react';
import { useAccount } from '../../api/use-session.ts';
import { Button } from '../../ui/button.tsx';
import { Page } from '../../ui/page.tsx';
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/states.tsx';
import { ConflictCard } from './conflict-card.tsx';
import { useConflicts } from './conflicts-data.ts';
import { t } from './strings.ts';

/** Files that were changed in two places: both contents, and what to keep. */
export function ConflictsPage() {
  const { spaceId } = useAccount();
  const conflicts = useConflicts(spaceId);
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = conflicts;
  const all = data?.pages.flatMap((page) => page.conflicts) ?? [];
  return (
    <Page title={t('title')} description={all.length > 0 ? t('description') : undefined}>
      {data === undefined ? (
        conflicts.isError ? (
          <ErrorState error={conflicts.error} onRetry={() => void conflicts.refetch()} />
        ) : (
          <SkeletonRows count={5} />
        )
      ) : all.length === 0 ? (
        <EmptyState icon={CircleCheckBig} title={t('emptyTitle')}>
          {t('empty')}
        </EmptyState>
      ) : (
        <>
          <ul aria-label={t('listLabel')} className="flex flex-col gap-4">
            {all.map((conflict) => (
              <li key={conflict.copy.entry.entryId}>
                <ConflictCard conflict={conflict} />
              </li>
            ))}
          </ul>
          {hasNextPage && (
            <div className="mt-4 text-center">
              <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
                {t('more')}
              </Button>
            </div>
          )}
        </>
      )}
    </Page>
  );
}
