import { CircleCheck, CircleX } from 'lucide-react';
import { formatCount, formatExact, formatRelative } from '../../ui/format.ts';
import { Card } from '../../ui/page.tsx';
import { ErrorState, SkeletonRows } from '../../ui/states.tsx';
import { Dot } from './dot.tsx';
import { useDrills, useVerification } from './health-data.ts';
import { type ClaimState, summariseClaims } from './node-states.ts';
import { t } from './strings.ts';

/** Which promises were put to the test, and when each last held. */
export function DrillsCard() {
  const drills = useDrills();
  const [last] = drills.data ?? [];
  return (
    <Card title={t('drills')}>
      {drills.data === undefined ? (
        drills.error === null ? (
          <SkeletonRows count={3} />
        ) : (
          <ErrorState error={drills.error} onRetry={() => void drills.refetch()} />
        )
      ) : last === undefined ? (
        <p className="px-4 pt-1 pb-4 text-quiet">{t('drills.none')}</p>
      ) : (
        <>
          <p className="px-4 pb-2 text-quiet text-sm">
            {t('drills.last', {
              when: formatRelative(last.endedAt),
              kind: t(`drills.${last.kind}`),
              proven: last.claims.filter(({ result }) => result === 'proven').length,
              unproven: last.claims.filter(({ result }) => result === 'unproven').length,
            })}
          </p>
          <ul aria-label={t('drillsLabel')} className="divide-y divide-line border-line border-t">
            {summariseClaims(drills.data).map((claim) => (
              <ClaimRow key={`${claim.kind} ${claim.id}`} claim={claim} />
            ))}
          </ul>
        </>
      )}
    </Card>
  );
}

function ClaimRow({ claim }: { readonly claim: ClaimState }) {
  const isProven = claim.result === 'proven';
  const Icon = isProven ? CircleCheck : CircleX;
  return (
    <li className="flex items-start gap-3 px-4 py-2">
      <Icon aria-hidden className={`mt-0.5 size-4.5 shrink-0 ${isProven ? 'text-good' : 'text-danger'}`} />
      <div className="min-w-0 flex-1">
        <p className="break-words">{claim.claim}</p>
        <p className="break-words text-quiet text-sm">
          {t(`drills.${claim.result}`)} {t(`drills.${claim.kind}`)}
          {' · '}
          {claim.lastProvenAt === null ? (
            t('drills.neverProven')
          ) : (
            <time title={formatExact(claim.lastProvenAt)}>
              {t('drills.lastProven', { when: formatRelative(claim.lastProvenAt) })}
            </time>
          )}
        </p>
        {claim.problem !== null && <p className="break-words text-danger text-sm">{claim.problem}</p>}
      </div>
    </li>
  );
}

/** Whether every version can be read, as far as that was checked. */
export function VerificationCard() {
  const verification = useVerification();
  const { data, error } = verification;
  if (data === undefined && error !== null) {
    return (
      <Card title={t('verification')}>
        <ErrorState error={error} onRetry={() => void verification.refetch()} />
      </Card>
    );
  }
  return (
    <Card title={t('verification')}>
      <div className="px-4 pt-1 pb-4">{data === undefined ? '…' : <VerificationWords {...data} />}</div>
    </Card>
  );
}

type Verification = NonNullable<ReturnType<typeof useVerification>['data']>;

function VerificationWords({ state, checkedBlocks, problem, report, endedAt }: Verification) {
  if (state === 'running') {
    return <p>{t('verification.running', { count: formatCount(checkedBlocks) })}</p>;
  }
  if (state === 'failed') {
    return (
      <p className="flex items-center gap-2">
        <Dot light="danger" /> {t('verification.failed', { problem: problem ?? '' })}
      </p>
    );
  }
  if (report === null || endedAt === null) return <p className="text-quiet">{t('verification.never')}</p>;
  const isGood = report.damagedVersions === 0;
  return (
    <p className="flex flex-wrap items-center gap-2">
      <Dot light={isGood ? 'good' : 'danger'} />
      {isGood
        ? t('verification.good', { count: report.checkedBlocks })
        : t('verification.bad', { count: report.damagedVersions })}
      <time title={formatExact(endedAt)} className="text-quiet text-sm">
        {formatRelative(endedAt)}
      </time>
    </p>
  );
}
