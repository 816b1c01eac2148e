import type { FileObject } from '@cairn/protocol';
import { ChevronLeft, ChevronRight, Download, X } from 'lucide-react';
import { Dialog as RadixDialog } from 'radix-ui';
import { useState } from 'react';
import { contentUrl, downloadEntries } from '../../transfers/download.ts';
import { formatBytes, formatDateTime, millisecondsOf } from '../../ui/format.ts';
import { IconButton } from '../../ui/icon-button.tsx';
import { shownName } from '../../ui/shown-name.ts';
import { useReturnFocus } from '../../ui/use-return-focus.ts';
import { ImagePreview } from './image-preview.tsx';
import { MediaPreview } from './media-preview.tsx';
import { NoPreview } from './no-preview.tsx';
import { previewKindOf } from './preview-kind.ts';
import { type PreviewedFile, previewedFileOf } from './previewed-file.ts';
import { t } from './strings.ts';
import { TextPreview } from './text-preview.tsx';

export interface PreviewDialogProps {
  readonly entry: FileObject;
  /** What the arrow keys go through, in their order; may hold folders and links, which are passed over. */
  readonly siblings: readonly FileObject[];
  readonly onClose: () => void;
}

/** A file in full size, over everything else. What is in it never runs as part of this app. */
export function PreviewDialog({ entry, siblings, onClose }: PreviewDialogProps) {
  const returnFocus = useReturnFocus();
  const [shown, setShown] = useState(entry);
  const files = siblings.filter(({ kind }) => kind === 'file');
  const index = files.findIndex(({ entryId }) => entryId === shown.entryId);
  // As it is now: it may have been renamed or changed while it is looked at.
  const current = files[index] ?? shown;
  const before = files[index - 1];
  const after = index === -1 ? undefined : files[index + 1];
  const file = previewedFileOf(current);

  function onKeyDown(event: React.KeyboardEvent): void {
    const isMedia = event.target instanceof HTMLMediaElement || event.target instanceof HTMLInputElement;
    if (isMedia || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const next = event.key === 'ArrowLeft' ? before : event.key === 'ArrowRight' ? after : undefined;
    if (next === undefined) return;
    event.preventDefault();
    setShown(next);
  }

  return (
    <RadixDialog.Root open onOpenChange={(open) => !open && onClose()}>
      <RadixDialog.Portal>
        <RadixDialog.Content
          onKeyDown={onKeyDown}
          onCloseAutoFocus={returnFocus}
          className="fixed inset-0 z-50 flex animate-fade-in flex-col bg-ground pt-[env(safe-area-inset-top)] pb-[env(safe-area-inset-bottom)] outline-none"
        >
          <header className="flex items-center gap-1 border-line border-b py-2 pr-2 pl-4">
            <div className="min-w-0 flex-1">
              <RadixDialog.Title className="truncate font-semibold">{shownName(file.name)}</RadixDialog.Title>
              <p className="truncate text-quiet text-xs">
                {t('details', {
                  size: formatBytes(file.sizeBytes),
                  at:
                    file.modifiedAtUs === undefined ? '–' : formatDateTime(millisecondsOf(file.modifiedAtUs)),
                })}
                {files.length > 1 && index >= 0 && (
                  <> · {t('place', { index: index + 1, count: files.length })}</>
                )}
              </p>
              <RadixDialog.Description className="sr-only">
                {t('description', { name: file.name })}
              </RadixDialog.Description>
            </div>
            <IconButton icon={Download} label={t('download')} onClick={() => downloadEntries([current])} />
            {files.length > 1 && (
              <>
                <IconButton
                  icon={ChevronLeft}
                  label={t('previous')}
                  disabled={before === undefined}
                  onClick={() => before !== undefined && setShown(before)}
                />
                <IconButton
                  icon={ChevronRight}
                  label={t('next')}
                  disabled={after === undefined}
                  onClick={() => after !== undefined && setShown(after)}
                />
              </>
            )}
            <RadixDialog.Close asChild>
              <IconButton icon={X} noTooltip label={t('close')} />
            </RadixDialog.Close>
          </header>
          <div className="min-h-0 flex-1">
            <FilePreview key={`${file.entryId}/${file.versionId ?? ''}`} file={file} />
          </div>
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}

/** The file itself, in whatever way it can be shown. Fills the height of what it is in. */
export function FilePreview({ file }: { readonly file: PreviewedFile }) {
  const kind = previewKindOf(file.name, file.sizeBytes);
  switch (kind) {
    case 'image':
      return <ImagePreview file={file} />;
    case 'video':
    case 'audio':
      return <MediaPreview file={file} kind={kind} />;
    case 'pdf':
      return <PdfPreview file={file} />;
    case 'markdown':
    case 'text':
      return <TextPreview file={file} isMarkdown={kind === 'markdown'} />;
    case 'none':
      return <NoPreview file={file} />;
  }
}

/** The browser's own viewer, which is a program apart from this page. */
function PdfPreview({ file }: { readonly file: PreviewedFile }) {
  const { versionId } = file;
  // Phones have no viewer in pages.
  if (navigator.pdfViewerEnabled === false) return <NoPreview file={file} />;
  return (
    <iframe
      title={t('pdfLabel', { name: file.name })}
      src={contentUrl(file.entryId, { inline: true, ...(versionId === undefined ? {} : { versionId }) })}
      referrerPolicy="no-referrer"
      className="h-full w-full border-0"
    />
  );
}
