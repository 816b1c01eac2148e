import { Download } from 'lucide-react';
import { contentUrl } from '../../transfers/download.ts';
import { FileIcon } from '../../ui/file-icon.tsx';
import { formatBytes, formatDateTime, millisecondsOf } from '../../ui/format.ts';
import type { PreviewedFile } from './previewed-file.ts';
import { t } from './strings.ts';

const TEXTS = { unknown: 'noneText', broken: 'brokenText', 'not-text': 'notText' } as const;

/** What is known of a file that cannot be shown, and a way to have it. */
export function NoPreview({
  file,
  reason = 'unknown',
}: {
  readonly file: PreviewedFile;
  readonly reason?: keyof typeof TEXTS;
}) {
  const { versionId } = file;
  return (
    <div className="flex h-full flex-col items-center justify-center gap-3 px-6 text-center">
      <FileIcon entry={{ kind: 'file', name: file.name }} className="size-16" />
      <h3 className="font-semibold text-lg">{reason === 'broken' ? t('brokenTitle') : t('noneTitle')}</h3>
      <p className="max-w-md text-quiet">{t(TEXTS[reason])}</p>
      <p className="text-quiet text-sm">
        {t('details', {
          size: formatBytes(file.sizeBytes),
          at: file.modifiedAtUs === undefined ? '–' : formatDateTime(millisecondsOf(file.modifiedAtUs)),
        })}
      </p>
      <a
        href={contentUrl(file.entryId, versionId === undefined ? {} : { versionId })}
        download=""
        className="mt-2 inline-flex h-9.5 items-center gap-2 rounded-lg bg-accent px-3.5 font-medium text-accent-ink hover:bg-accent-strong"
      >
        <Download aria-hidden className="size-4" />
        {t('download')}
      </a>
    </div>
  );
}
