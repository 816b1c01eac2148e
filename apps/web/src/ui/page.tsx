import type { ReactNode } from 'react';
import { classNames } from './class-names.ts';

export interface PageProps {
  readonly title: ReactNode;
  readonly description?: ReactNode;
  /** Buttons to the right of the title. */
  readonly actions?: ReactNode;
  /** Wide pages use the whole screen; others stay readable. */
  readonly wide?: boolean;
  readonly children: ReactNode;
}

/** The frame of a page: title, actions, a column that scrolls. */
export function Page({ title, description, actions, wide = false, children }: PageProps) {
  return (
    <div className="h-full overflow-y-auto">
      <div
        className={classNames('mx-auto px-4 pt-4 pb-24 sm:px-6 sm:pt-6', wide ? 'max-w-7xl' : 'max-w-4xl')}
      >
        <header className="mb-4 flex flex-wrap items-start gap-x-4 gap-y-2">
          <div className="min-w-0 flex-1 basis-64">
            <h1 className="break-words font-semibold text-2xl tracking-tight">{title}</h1>
            {description !== undefined && <p className="mt-0.5 text-quiet">{description}</p>}
          </div>
          {actions !== undefined && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
        </header>
        {children}
      </div>
    </div>
  );
}

/** A card with an optional heading. */
export function Card({
  title,
  actions,
  children,
  className,
}: {
  readonly title?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
}) {
  return (
    <section className={classNames('rounded-xl border border-line bg-surface', className)}>
      {title !== undefined && (
        <header className="flex items-center gap-3 px-4 pt-3.5 pb-1">
          <h2 className="min-w-0 flex-1 font-semibold">{title}</h2>
          {actions}
        </header>
      )}
      {children}
    </section>
  );
}

/** A list whose rows are {@link ListRow}s. */
export function List({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <ul
      aria-label={label}
      className="divide-y divide-line overflow-hidden rounded-xl border border-line bg-surface"
    >
      {children}
    </ul>
  );
}

export interface ListRowProps {
  readonly icon?: ReactNode;
  readonly title: ReactNode;
  readonly detail?: ReactNode;
  /** To the right: figures, badges, buttons. */
  readonly end?: ReactNode;
  readonly className?: string;
}

export function ListRow({ icon, title, detail, end, className }: ListRowProps) {
  return (
    <li className={classNames('flex min-h-14 items-center gap-3 px-4 py-2.5', className)}>
      {icon}
      <div className="min-w-0 flex-1">
        <div className="truncate">{title}</div>
        {detail !== undefined && <div className="break-words text-quiet text-sm sm:truncate">{detail}</div>}
      </div>
      {end}
    </li>
  );
}
