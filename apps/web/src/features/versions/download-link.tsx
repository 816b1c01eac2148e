import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { classNames } from '../../ui/class-names.ts';

/** A link that looks like a button: the browser itself saves what it leads to. */
export function DownloadLink(props: {
  readonly href: string;
  readonly icon: LucideIcon;
  readonly children: ReactNode;
  readonly className?: string;
}) {
  const { icon: Icon } = props;
  return (
    <a
      href={props.href}
      download
      className={classNames(
        'inline-flex h-8 shrink-0 items-center justify-center gap-2 rounded-lg border border-line-strong bg-surface px-2.5 font-medium text-sm hover:bg-hover pointer-coarse:min-h-11',
        props.className,
      )}
    >
      <Icon aria-hidden className="size-4" />
      {props.children}
    </a>
  );
}
