import type { FileObject } from '@cairn/protocol';
import { ChevronRight, FolderPlus } from 'lucide-react';
import { useState } from 'react';
import type { Destination } from '../../api/entries.ts';
import { useFolder } from '../../api/folders.ts';
import { isWithin, pathSteps } from '../../api/paths.ts';
import { t as common } from '../../strings/t.ts';
import { Button } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { FileIcon } from '../../ui/file-icon.tsx';
import { shownName } from '../../ui/shown-name.ts';
import { ErrorState, SkeletonRows } from '../../ui/states.tsx';
import { FolderNameDialog } from './folder-name-dialog.tsx';
import { sortEntries } from './sort-entries.ts';
import { t } from './strings.ts';
import type { FileActions } from './use-file-actions.ts';

export interface ChooseFolderDialogProps {
  readonly kind: 'move' | 'copy';
  readonly entries: readonly FileObject[];
  /** Where to begin. */
  readonly startPath: string;
  readonly actions: FileActions;
  readonly onChoose: (folder: Destination) => void;
  readonly onClose: () => void;
}

/** Walks through the folders to say where something is to go. */
export function ChooseFolderDialog(props: ChooseFolderDialogProps) {
  const { kind, entries } = props;
  const [path, setPath] = useState(props.startPath);
  const [isNaming, setIsNaming] = useState(false);
  const folder = useFolder(path);
  const steps = [{ name: t('root'), path: '/' }, ...pathSteps(path)];
  const holes = { count: entries.length, name: entries[0]?.name ?? '' };
  const folders = sortEntries(
    (folder.data?.children ?? []).filter((child) => child.kind === 'folder'),
    'name-up',
  );
  // Nothing goes into itself; and what is here already need not be moved here.
  const isOwn = (target: string) =>
    entries.some((entry) => entry.kind === 'folder' && isWithin(target, entry.path));
  const isHere = kind === 'move' && entries.every(({ parentId }) => parentId === folder.data?.entry.entryId);

  return (
    <Dialog
      size="medium"
      title={t(kind === 'move' ? 'moveTitle' : 'copyTitle', holes)}
      onClose={props.onClose}
      actions={
        <>
          <Button look="quiet" icon={FolderPlus} className="mr-auto" onClick={() => setIsNaming(true)}>
            {t('newFolder')}
          </Button>
          <Button onClick={props.onClose}>{common('common.cancel')}</Button>
          <Button
            look="primary"
            disabled={folder.data === undefined || isHere || isOwn(path)}
            onClick={() => folder.data !== undefined && props.onChoose(folder.data.entry)}
          >
            {t(kind === 'move' ? 'moveHere' : 'copyHere')}
          </Button>
        </>
      }
    >
      <nav aria-label={t('pathLabel')} className="mb-2 flex flex-wrap items-center text-sm">
        {steps.map((step, index) => (
          <span key={step.path} className="flex min-w-0 items-center">
            {index > 0 && <ChevronRight aria-hidden className="size-3.5 shrink-0 text-faint" />}
            <button
              type="button"
              aria-current={step.path === path ? 'page' : undefined}
              className="truncate rounded-md px-1.5 py-1 hover:bg-hover aria-[current]:font-semibold"
              onClick={() => setPath(step.path)}
            >
              {shownName(step.name)}
            </button>
          </span>
        ))}
      </nav>
      <div className="h-72 overflow-y-auto rounded-xl border border-line">
        {folder.data === undefined ? (
          folder.isError ? (
            <ErrorState error={folder.error} onRetry={() => void folder.refetch()} />
          ) : (
            <SkeletonRows count={5} />
          )
        ) : folders.length === 0 ? (
          <p className="p-8 text-center text-quiet">{t('noFolders')}</p>
        ) : (
          <ul aria-label={t('chooseFolder')}>
            {folders.map((child) => (
              <li key={child.entryId}>
                <button
                  type="button"
                  disabled={isOwn(child.path)}
                  onClick={() => setPath(child.path)}
                  className={classNames(
                    'flex w-full items-center gap-3 px-3 py-2 text-left hover:bg-hover pointer-coarse:py-3',
                    'disabled:opacity-45 disabled:hover:bg-transparent',
                  )}
                >
                  <FileIcon entry={child} />
                  <span className="min-w-0 flex-1 truncate">{shownName(child.name)}</span>
                  <ChevronRight aria-hidden className="size-4 shrink-0 text-faint" />
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
      {isNaming && folder.data !== undefined && (
        <FolderNameDialog
          onClose={() => setIsNaming(false)}
          onCreate={(name) => props.actions.createFolder(folder.data.entry, name)}
          onCreated={(created) => {
            setIsNaming(false);
            setPath(created.path);
          }}
        />
      )}
    </Dialog>
  );
}
