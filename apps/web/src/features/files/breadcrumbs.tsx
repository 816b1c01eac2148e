import { ChevronRight } from 'lucide-react';
import { Fragment, useEffect, useRef } from 'react';
import type { Destination } from '../../api/entries.ts';
import { cachedFolders } from '../../api/folder-cache.ts';
import { readFolderEntry } from '../../api/folders.ts';
import { pathSteps } from '../../api/paths.ts';
import { useAccount } from '../../api/use-session.ts';
import { FolderLink } from '../../app/folder-link.tsx';
import { classNames } from '../../ui/class-names.ts';
import { shownName } from '../../ui/shown-name.ts';
import { bringsEntries, bringsFiles } from './dragging.ts';
import { t } from './strings.ts';
import { useDropTarget } from './use-drop-target.ts';

export interface BreadcrumbsProps {
  readonly path: string;
  readonly dropInto: (transfer: DataTransfer, to: Destination) => void;
}

function Step({
  name,
  path,
  isLast,
  dropInto,
}: {
  readonly name: string;
  readonly path: string;
  readonly isLast: boolean;
  readonly dropInto: BreadcrumbsProps['dropInto'];
}) {
  const { rootId } = useAccount();
  const known =
    path === '/' ? rootId : cachedFolders().find(([cached]) => cached === path)?.[1].entry.entryId;
  // The id is asked for before something is dropped, which cannot wait.
  const target = useDropTarget(known === undefined ? null : { entryId: known, path }, dropInto);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a place to drop on; the keyboard has cut and paste
    <span
      {...target.handlers}
      onDragEnter={(event) => {
        const matters = bringsEntries(event.dataTransfer) || bringsFiles(event.dataTransfer);
        if (matters && known === undefined) void readFolderEntry(path);
      }}
      className={classNames('min-w-0 rounded-md', target.isOver && 'bg-accent-soft outline-2 outline-accent')}
    >
      {isLast ? (
        <h1 aria-current="page" className="truncate px-1.5 py-1 font-semibold text-lg">
          {shownName(name)}
        </h1>
      ) : (
        <FolderLink
          path={path}
          className="block truncate rounded-md px-1.5 py-1 text-lg text-quiet hover:bg-hover hover:text-ink"
        >
          {shownName(name)}
        </FolderLink>
      )}
    </span>
  );
}

/** The way to the folder that is shown; every step takes what is dropped on it. */
export function Breadcrumbs({ path, dropInto }: BreadcrumbsProps) {
  const list = useRef<HTMLElement>(null);
  const steps = [{ name: t('root'), path: '/' }, ...pathSteps(path)];
  // Of a long way, the end is what matters.
  useEffect(() => {
    // The root alone has nowhere to be scrolled to, and asking for a width lays out a page that is not whole yet.
    if (path !== '/' && list.current !== null) list.current.scrollLeft = list.current.scrollWidth;
  }, [path]);
  return (
    <nav
      ref={list}
      aria-label={t('pathLabel')}
      className="-ml-1.5 flex min-w-0 items-center overflow-x-auto [scrollbar-width:none]"
    >
      {steps.map((step, index) => (
        <Fragment key={step.path}>
          {index > 0 && <ChevronRight aria-hidden className="size-4 shrink-0 text-faint" />}
          <Step {...step} isLast={index === steps.length - 1} dropInto={dropInto} />
        </Fragment>
      ))}
    </nav>
  );
}
