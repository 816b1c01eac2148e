import { Box, File, Folder, Link2 } from 'lucide-react';
import { classNames } from './class-names.ts';

const ICONS = { folder: Folder, file: File, link: Link2, other: Box } as const;

/** A file, a folder or a link, where the type of a file does not matter. */
export function KindIcon({
  kind,
  className,
}: {
  readonly kind: keyof typeof ICONS;
  readonly className?: string;
}) {
  const Icon = ICONS[kind];
  return (
    <Icon
      aria-hidden
      strokeWidth={1.6}
      className={classNames(
        'size-5.5 shrink-0',
        kind === 'folder' ? 'text-accent-text' : 'text-quiet',
        className,
      )}
    />
  );
}
