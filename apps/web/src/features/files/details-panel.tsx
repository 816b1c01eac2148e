import type { FileObject } from '@cairn/protocol';
import { Download, History, X } from 'lucide-react';
import { lazy, Suspense, useEffect, useRef } from 'react';
import { parentPath } from '../../api/paths.ts';
import { FolderLink } from '../../app/folder-link.tsx';
import { t as common } from '../../strings/t.ts';
import { Button } from '../../ui/button.tsx';
import { formatBytes, formatDateTime, formatExact, millisecondsOf } from '../../ui/format.ts';
import { IconButton } from '../../ui/icon-button.tsx';
import { shownName } from '../../ui/shown-name.ts';
import { SkeletonRows } from '../../ui/states.tsx';
import { describeKind } from './describe-entry.ts';
import { t } from './strings.ts';
import { Thumbnail } from './thumbnail.tsx';
import type { FileActions } from './use-file-actions.ts';

const VersionsPanel = lazy(async () => ({
  default: (await import('../versions/versions-panel.tsx')).VersionsPanel,
}));

export interface DetailsPanelProps {
  readonly entry: FileObject;
  readonly actions: FileActions;
  readonly onClose: () => void;
}

/** Beside the list (over it on phones): what an entry is, and the versions of a file. */
export function DetailsPanel({ entry, actions, onClose }: DetailsPanelProps) {
  const title = useRef<HTMLHeadingElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another entry is announced as well
  useEffect(() => title.current?.focus(), [entry.entryId]);
  const folder = parentPath(entry.path);
  return (
    <aside
      aria-label={t('details')}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !event.defaultPrevented) onClose();
      }}
      className="absolute inset-0 z-30 flex flex-col overflow-y-auto border-line bg-surface md:static md:z-auto md:w-88 md:shrink-0 xl:w-96 md:border-l"
    >
      <header className="sticky top-0 z-10 flex items-start gap-2 bg-surface px-4 pt-4 pb-2">
        <h2
          ref={title}
          tabIndex={-1}
          className="min-w-0 flex-1 break-words font-semibold text-lg outline-none"
        >
          {shownName(entry.name)}
        </h2>
        <IconButton icon={X} small label={common('common.close')} onClick={onClose} />
      </header>
      <div className="mx-4 mb-4 flex h-40 shrink-0 items-center justify-center overflow-hidden rounded-xl bg-sunken">
        <Thumbnail
          entry={entry}
          imageClassName="max-h-full max-w-full object-contain"
          iconClassName="size-14"
        />
      </div>
      <dl className="mx-4 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1.5 text-sm [&>dt]:text-quiet">
        <dt>{t('infoKind')}</dt>
        <dd className="min-w-0 break-words">{describeKind(entry)}</dd>
        {entry.sizeBytes !== undefined && (
          <>
            <dt>{t('infoSize')}</dt>
            <dd>{formatBytes(entry.sizeBytes)}</dd>
          </>
        )}
        {entry.modifiedAtUs !== undefined && (
          <>
            <dt>{t('infoModified')}</dt>
            <dd title={formatExact(millisecondsOf(entry.modifiedAtUs))}>
              {formatDateTime(millisecondsOf(entry.modifiedAtUs))}
            </dd>
          </>
        )}
        <dt>{t('infoPlace')}</dt>
        <dd className="min-w-0 break-words">
          <FolderLink path={folder} className="text-accent-text underline-offset-2 hover:underline">
            {folder === '/' ? t('root') : shownName(folder)}
          </FolderLink>
        </dd>
      </dl>
      <div className="mx-4 my-4 flex flex-wrap gap-2">
        <Button small icon={Download} onClick={() => actions.download([entry])}>
          {t('download')}
        </Button>
        {entry.kind === 'folder' && (
          <Button small icon={History} onClick={() => actions.rewind(entry)}>
            {t('rewind')}
          </Button>
        )}
      </div>
      {entry.kind === 'file' && (
        <div className="border-line border-t px-4 py-3">
          <h3 className="mb-1 font-semibold">{t('versions')}</h3>
          <Suspense fallback={<SkeletonRows count={3} />}>
            <VersionsPanel entryId={entry.entryId} name={entry.name} />
          </Suspense>
        </div>
      )}
    </aside>
  );
}
