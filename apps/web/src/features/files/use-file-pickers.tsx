import { type ReactNode, useRef } from 'react';
import { collectChosen, pickFiles } from '../../transfers/collect.ts';
import type { DroppedItem } from '../../transfers/queue.ts';
import { t } from './strings.ts';

export interface FilePickers {
  /** Must be on the page. */
  readonly inputs: ReactNode;
  readonly chooseFiles: () => void;
  readonly chooseFolder: () => void;
}

/** The browser's own dialogs for choosing files and folders. */
export function useFilePickers(onChosen: (items: readonly DroppedItem[]) => void): FilePickers {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const common = {
    type: 'file',
    multiple: true,
    hidden: true,
    tabIndex: -1,
    onChange: (event: { currentTarget: HTMLInputElement }) => {
      const { currentTarget } = event;
      if (currentTarget.files !== null) onChosen(collectChosen(currentTarget.files));
      // The same file may be chosen again.
      currentTarget.value = '';
    },
  } as const;
  return {
    inputs: (
      <>
        <input ref={files} {...common} aria-label={t('uploadFiles')} data-picker="files" />
        <input
          ref={folder}
          {...common}
          aria-label={t('uploadFolder')}
          data-picker="folder"
          webkitdirectory=""
        />
      </>
    ),
    chooseFiles: () => {
      // Where the browser gives handles, an upload goes on by itself after a reload. Its dialog for folders
      // refuses too many of them, and asks more.
      pickFiles()
        .then(onChosen)
        .catch(() => files.current?.click());
    },
    chooseFolder: () => folder.current?.click(),
  };
}
