import { useQuery } from '@tanstack/react-query';
import { Download, FileQuestion } from 'lucide-react';
import { useState } from 'react';
import { ScrollRegion } from '../../ui/scroll-region.tsx';
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/states.tsx';
import { type ContentRef, readText } from './compare/read-text.ts';
import { DownloadLink } from './download-link.tsx';
import { t } from './strings.ts';
import { pictureUrl, versionUrl } from './versions-data.ts';

/** Longer texts are cut: this is a glance, not an editor. */
const MAX_SHOWN_CHARACTERS = 200_000;
/** What the server makes pictures of. */
const PICTURE = /\.(jpe?g|png|gif|webp|avif|heic|heif|tiff?|bmp)$/i;

export function looksLikePicture(name: string): boolean {
  return PICTURE.test(name);
}

export interface VersionPreviewProps {
  readonly name: string;
  readonly content: ContentRef;
  /** When it was saved, in words. */
  readonly at: string;
}

/** A version at a glance: a picture, or the text; else a way to download it. */
export function VersionPreview({ name, content, at }: VersionPreviewProps) {
  const [isBroken, setIsBroken] = useState(false);
  if (looksLikePicture(name) && content.target === null && !isBroken) {
    return (
      <img
        src={pictureUrl(content.entryId, content.versionId)}
        alt={t('imageAlt', { name, at })}
        onError={() => setIsBroken(true)}
        className="mx-auto max-h-[65dvh] rounded-lg bg-sunken object-contain"
      />
    );
  }
  return <TextPreview name={name} content={content} />;
}

function TextPreview({ name, content }: { readonly name: string; readonly content: ContentRef }) {
  const { data, error, refetch } = useQuery({
    queryKey: ['version-text', content.entryId, content.versionId],
    queryFn: ({ signal }) => readText(content, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
  if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <SkeletonRows count={4} />;
  if (data.kind !== 'text') {
    const url = versionUrl(content.entryId, content.versionId);
    return (
      <EmptyState
        icon={FileQuestion}
        title={t('noPreviewTitle')}
        className="py-8"
        action={
          <DownloadLink href={url} icon={Download}>
            {t('download')}
          </DownloadLink>
        }
      >
        {t('noPreview')}
      </EmptyState>
    );
  }
  if (data.text === '') return <p className="py-6 text-center text-quiet">{t('emptyFile')}</p>;
  const isCut = data.text.length > MAX_SHOWN_CHARACTERS;
  return (
    <>
      <ScrollRegion label={name} className="max-h-[60dvh] rounded-lg border border-line bg-sunken">
        <pre className="whitespace-pre-wrap p-3 font-mono text-xs [overflow-wrap:anywhere]">
          {isCut ? data.text.slice(0, MAX_SHOWN_CHARACTERS) : data.text}
        </pre>
      </ScrollRegion>
      {isCut && <p className="mt-1 text-quiet text-sm">{t('truncated')}</p>}
    </>
  );
}
