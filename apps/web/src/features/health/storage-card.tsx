import type { AccountUsageResponse, UsageResponse } from '@cairn/protocol';
import { useState } from 'react';
import { useAccount } from '../../api/use-session.ts';
import { formatBytes, formatPercent } from '../../ui/format.ts';
import { Card } from '../../ui/page.tsx';
import { ProgressBar } from '../../ui/progress-bar.tsx';
import { ErrorState, Skeleton } from '../../ui/states.tsx';
import { useServerUsage, useUsage } from './health-data.ts';
import { type BarPart, StackedBar } from './plots/stacked-bar.tsx';
import { t } from './strings.ts';

const NEARLY_FULL = 0.9;

interface Picture {
  readonly title: string;
  /** What people have; in all as much as `takes`. */
  readonly holds: readonly BarPart[];
  /** What it takes on the server, and what was saved. */
  readonly takes: readonly BarPart[];
  readonly note: string | null;
}

const SAVED = 'bg-[repeating-linear-gradient(135deg,var(--good)_0_3px,var(--good-soft)_3px_7px)]';
const SAVED_TOO = 'bg-[repeating-linear-gradient(45deg,var(--warn)_0_2px,var(--warn-soft)_2px_7px)]';

function holdsOf(live: number, versions: number, trash: number): BarPart[] {
  return [
    { name: t('live'), bytes: live, ground: 'bg-accent' },
    { name: t('versions'), bytes: versions, ground: 'bg-accent/50' },
    { name: t('trash'), bytes: trash, ground: 'bg-faint' },
  ];
}

function pictureOfAccount(usage: AccountUsageResponse): Picture {
  const { storedBytes, savedByDedupBytes: dedup, savedByCompressionBytes: compression } = usage;
  const saved: BarPart[] = [];
  if (dedup !== undefined && dedup > 0) saved.push({ name: t('dedup'), bytes: dedup, ground: SAVED });
  if (compression !== undefined && compression > 0) {
    saved.push({ name: t('compression'), bytes: compression, ground: SAVED_TOO });
  }
  return {
    title: t('holds'),
    holds: holdsOf(usage.liveBytes, usage.versionsBytes, usage.trashBytes),
    takes:
      storedBytes === undefined
        ? []
        : [{ name: t('stored'), bytes: storedBytes, ground: 'bg-ink/75' }, ...saved],
    note: `${t('files', { count: usage.files })}, ${t('folders', { count: usage.folders })}`,
  };
}

function pictureOfServer(usage: UsageResponse): Picture {
  const { live, versions, trash, stored, savedBytes, garbage } = usage;
  const takes: BarPart[] = [{ name: t('stored'), bytes: stored.bytes, ground: 'bg-ink/75' }];
  if (savedBytes > 0) takes.push({ name: t('saved'), bytes: savedBytes, ground: SAVED });
  if (garbage.storedBytes > 0) {
    takes.push({ name: t('garbage'), bytes: garbage.storedBytes, ground: 'bg-line-strong' });
  }
  return {
    title: t('holdsWhole'),
    holds: holdsOf(live.bytes, versions.bytes, trash.bytes),
    takes,
    note: t('files', { count: live.files }),
  };
}

/** What is stored, as a picture: what people have, and what that takes after saving. */
export function StorageCard() {
  const { isAdministrator } = useAccount();
  const [isWhole, setIsWhole] = useState(false);
  const own = useUsage();
  const server = useServerUsage(isWhole);
  const shown = isWhole ? server : own;
  const picture = isWhole
    ? server.data && pictureOfServer(server.data)
    : own.data && pictureOfAccount(own.data);
  return (
    <Card
      title={t('storage')}
      actions={isAdministrator && <WholeSwitch isWhole={isWhole} onChange={setIsWhole} />}
    >
      <div className="flex flex-col gap-5 px-4 pt-2 pb-4">
        {picture === undefined ? (
          shown.error === null ? (
            <>
              <Skeleton className="h-7" />
              <Skeleton className="h-7" />
            </>
          ) : (
            <ErrorState error={shown.error} onRetry={() => void shown.refetch()} />
          )
        ) : (
          <StoragePicture picture={picture} />
        )}
        {!isWhole && own.data !== undefined && own.data.quotaBytes !== null && <Quota usage={own.data} />}
      </div>
    </Card>
  );
}

function StoragePicture({ picture }: { readonly picture: Picture }) {
  const total = picture.holds.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total === 0) return <p className="text-quiet">{t('nothingStored')}</p>;
  return (
    <>
      <StackedBar title={picture.title} parts={picture.holds} />
      {picture.takes.length > 0 && <StackedBar title={t('takes')} parts={picture.takes} />}
      <div>
        {picture.note !== null && <p className="text-quiet text-sm">{picture.note}</p>}
        <PictureTable picture={picture} />
      </div>
    </>
  );
}

function PictureTable({ picture }: { readonly picture: Picture }) {
  const groups = [
    { title: picture.title, parts: picture.holds },
    { title: t('takes'), parts: picture.takes },
  ];
  return (
    <details className="mt-1 text-sm">
      <summary className="w-fit rounded text-quiet hover:text-ink">{t('asTable')}</summary>
      <table className="mt-2 w-full max-w-xl text-left tabular-nums">
        <thead className="text-quiet">
          <tr>
            {[t('part'), t('size'), t('share')].map((name) => (
              <th key={name} scope="col" className="py-1 pr-4 font-medium">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        {groups.map(({ title, parts }) => {
          const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
          return (
            <tbody key={title}>
              {parts.map(({ name, bytes }) => (
                <tr key={name} className="border-line border-t">
                  <th scope="row" className="py-1 pr-4 font-normal">
                    {name}
                  </th>
                  <td className="pr-4">{formatBytes(bytes)}</td>
                  <td>{total > 0 ? formatPercent(bytes / total) : ''}</td>
                </tr>
              ))}
            </tbody>
          );
        })}
      </table>
    </details>
  );
}

function Quota({ usage }: { readonly usage: AccountUsageResponse }) {
  const quota = usage.quotaBytes ?? 0;
  const used = usage.liveBytes + usage.versionsBytes + usage.trashBytes;
  const share = quota === 0 ? 1 : used / quota;
  return (
    <div>
      <p className="mb-1 text-sm">{t('quota', { used: formatBytes(used), quota: formatBytes(quota) })}</p>
      <ProgressBar
        value={share}
        label={t('quotaLabel')}
        tone={share >= 1 ? 'danger' : share > NEARLY_FULL ? 'warn' : 'accent'}
      />
    </div>
  );
}

function WholeSwitch({ isWhole, onChange }: { isWhole: boolean; onChange: (isWhole: boolean) => void }) {
  const choices = [
    { value: false, label: t('yours') },
    { value: true, label: t('whole') },
  ];
  return (
    <fieldset className="flex rounded-lg border border-line-strong p-0.5">
      <legend className="sr-only">{t('storage')}</legend>
      {choices.map(({ value, label }) => (
        <button
          key={label}
          type="button"
          aria-pressed={isWhole === value}
          onClick={() => onChange(value)}
          className="rounded-md px-2.5 py-1 text-quiet text-sm hover:text-ink aria-pressed:bg-accent-soft aria-pressed:font-medium aria-pressed:text-accent-text pointer-coarse:min-h-9"
        >
          {label}
        </button>
      ))}
    </fieldset>
  );
}
