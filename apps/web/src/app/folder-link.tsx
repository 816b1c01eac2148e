import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

export interface FolderLinkProps {
  /** Such as `/docs/drafts`. */
  readonly path: string;
  readonly className?: string;
  readonly children: ReactNode;
}

/** A link to a folder in Files. */
export function FolderLink({ path, className, children }: FolderLinkProps) {
  return (
    <Link to="/files/$" params={{ _splat: path.replace(/^\//, '') }} className={className}>
      {children}
    </Link>
  );
}
