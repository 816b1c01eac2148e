import { useAccount } from '../../api/use-session.ts';
import { Card, Page } from '../../ui/page.tsx';
import { ErrorState, Skeleton } from '../../ui/states.tsx';
import { DevicesCard } from './devices-card.tsx';
import { DrillsCard, VerificationCard } from './drills-card.tsx';
import { CAPACITY_DAYS, useCapacity } from './health-data.ts';
import { NodesCards } from './nodes-card.tsx';
import { CapacityPlot } from './plots/capacity-plot.tsx';
import { ServerCard } from './server-card.tsx';
import { StorageCard } from './storage-card.tsx';
import { t } from './strings.ts';

/** How the server, the storage and the devices are; for administrators also what stands behind. */
export function HealthPage() {
  const { isAdministrator } = useAccount();
  return (
    <Page title={t('title')} description={t('description')}>
      <div className="flex flex-col gap-4">
        <ServerCard />
        <StorageCard />
        <DevicesCard />
        {isAdministrator && (
          <>
            <p className="mt-4 font-medium text-quiet text-sm">{t('admin')}</p>
            <NodesCards />
            <CapacityCard />
            <VerificationCard />
            <DrillsCard />
          </>
        )}
      </div>
    </Page>
  );
}

function CapacityCard() {
  const capacity = useCapacity();
  return (
    <Card
      title={t('capacity')}
      actions={<span className="text-quiet text-sm">{t('capacity.days', { count: CAPACITY_DAYS })}</span>}
    >
      <div className="px-4 pt-2 pb-4">
        {capacity.data !== undefined ? (
          <CapacityPlot samples={capacity.data} />
        ) : capacity.error === null ? (
          <Skeleton className="h-48" />
        ) : (
          <ErrorState error={capacity.error} onRetry={() => void capacity.refetch()} />
        )}
      </div>
    </Card>
  );
}
