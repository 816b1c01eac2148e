import { useQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef, useState } from 'react';
import { Button } from '../../ui/button.tsx';
import { formatBytes } from '../../ui/format.ts';
import { ErrorState, SkeletonRows } from '../../ui/states.tsx';
import { MAX_MARKDOWN_CHARACTERS, MarkdownView } from './markdown-view.tsx';
import { NoPreview } from './no-preview.tsx';
import type { PreviewedFile } from './previewed-file.ts';
import { MAX_SHOWN_BYTES, readBeginning } from './read-beginning.ts';
import { t } from './strings.ts';

const LINE_HEIGHT = 20;
/** Longer lines, as programs write them, would hold up the layout. */
const MAX_LINE_CHARACTERS = 5000;

/** Text and code with line numbers, Markdown formatted; the first MiB of it. */
export function TextPreview({
  file,
  isMarkdown,
}: {
  readonly file: PreviewedFile;
  readonly isMarkdown: boolean;
}) {
  const [showsSource, setShowsSource] = useState(false);
  const { data, error, refetch } = useQuery({
    queryKey: ['text-beginning', file.entryId, file.versionId ?? null],
    queryFn: ({ signal }) => readBeginning(file.entryId, file.versionId, signal),
    staleTime: file.versionId === undefined ? 0 : Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
  if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <SkeletonRows count={6} />;
  if (data.text === null) return <NoPreview file={file} reason="not-text" />;
  if (data.text === '') return <p className="py-16 text-center text-quiet">{t('empty')}</p>;
  const canFormat = isMarkdown && data.text.length <= MAX_MARKDOWN_CHARACTERS;
  return (
    <div className="flex h-full min-h-0 flex-col bg-surface">
      {canFormat && (
        <div className="flex justify-end border-line border-b px-3 py-1.5">
          <Button small look="quiet" onClick={() => setShowsSource(!showsSource)}>
            {showsSource ? t('asMarkdown') : t('asText')}
          </Button>
        </div>
      )}
      {canFormat && !showsSource ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        <div tabIndex={0} className="min-h-0 flex-1 overflow-auto" role="document" aria-label={file.name}>
          <div className="mx-auto max-w-3xl px-5 py-6">
            <MarkdownView text={data.text} />
          </div>
        </div>
      ) : (
        <Lines text={data.text} name={file.name} />
      )}
      {data.isCut && (
        <p className="border-line border-t px-4 py-2 text-quiet text-sm">
          {t('cut', { size: formatBytes(MAX_SHOWN_BYTES) })}
        </p>
      )}
    </div>
  );
}

/** Only the lines that are seen exist. */
function Lines({ text, name }: { readonly text: string; readonly name: string }) {
  const lines = useMemo(() => text.replace(/\r?\n$/, '').split(/\r?\n/), [text]);
  const scroller = useRef<HTMLElement>(null);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_HEIGHT,
    overscan: 30,
  });
  const numberWidth = `${String(lines.length).length + 2}ch`;
  return (
    <section
      ref={scroller}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
      tabIndex={0}
      aria-label={t('textLabel', { name })}
      className="min-h-0 flex-1 overflow-auto font-mono text-[0.8125rem] leading-5"
    >
      <div className="relative w-max min-w-full" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, start }) => {
          const line = lines[index] ?? '';
          return (
            <div
              key={index}
              className="absolute top-0 left-0 flex min-w-full whitespace-pre"
              style={{ height: LINE_HEIGHT, transform: `translateY(${start}px)` }}
            >
              <span
                aria-hidden
                className="sticky left-0 shrink-0 select-none border-line border-r bg-sunken pr-2 text-right text-faint"
                style={{ width: numberWidth }}
              >
                {index + 1}
              </span>
              <span className="px-3">
                {line.length > MAX_LINE_CHARACTERS ? line.slice(0, MAX_LINE_CHARACTERS) + t('cutLine') : line}
              </span>
            </div>
          );
        })}
      </div>
    </section>
  );
}
