import type { ConflictObject } from '@cairn/protocol';
import { Download } from 'lucide-react';
import { useState } from 'react';
import { Badge } from '../../ui/badge.tsx';
import { formatBytes, formatExact, formatRelative } from '../../ui/format.ts';
import { DownloadLink } from '../versions/download-link.tsx';
import { pictureUrl, versionUrl } from '../versions/versions-data.ts';
import { t } from './strings.ts';

export interface ConflictSideProps {
  readonly title: string;
  readonly hint: string;
  readonly side: ConflictObject['copy'];
  readonly other: ConflictObject['copy'] | null;
  readonly showsPicture: boolean;
}

/** One of the two contents: who saved it, when, how large; pictures are shown. */
export function ConflictSideView({ title, hint, side, other, showsPicture }: ConflictSideProps) {
  const { entry, version } = side;
  const [isBroken, setIsBroken] = useState(false);
  const isNewer = other !== null && version.committedAt > other.version.committedAt;
  const isLarger = other !== null && version.sizeBytes > other.version.sizeBytes;
  return (
    <div className="flex min-w-0 flex-col gap-1 bg-surface px-4 py-3">
      <div className="flex flex-wrap items-center gap-2">
        <h3 className="font-medium">{title}</h3>
        {isNewer && <Badge tone="accent">{t('newest')}</Badge>}
        {isLarger && <Badge>{t('largest')}</Badge>}
      </div>
      <p className="break-words text-quiet text-sm">{hint}</p>
      <p className="break-words text-sm">
        <time dateTime={new Date(version.committedAt).toISOString()} title={formatExact(version.committedAt)}>
          {t('saved', { when: formatRelative(version.committedAt), device: version.deviceName })}
        </time>
      </p>
      <p className="break-words text-sm tabular-nums">
        {version.target === null ? formatBytes(version.sizeBytes) : t('link', { target: version.target })}
      </p>
      {showsPicture && version.target === null && !isBroken && (
        <img
          src={pictureUrl(entry.entryId, version.versionId)}
          alt={t('imageAlt', { side: title, name: entry.name })}
          loading="lazy"
          onError={() => setIsBroken(true)}
          className="mt-1 max-h-80 w-full rounded-lg bg-sunken object-contain"
        />
      )}
      {version.target === null && (
        <DownloadLink
          href={versionUrl(entry.entryId, version.versionId)}
          icon={Download}
          className="mt-1 self-start"
        >
          <span aria-hidden>{t('download')}</span>
          <span className="sr-only">{t('downloadSide', { side: title })}</span>
        </DownloadLink>
      )}
    </div>
  );
}
