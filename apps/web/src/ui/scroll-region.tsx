import type { ReactNode, Ref } from 'react';
import { classNames } from './class-names.ts';

export interface ScrollRegionProps {
  /** What is in it, for screen readers. */
  readonly label: string;
  readonly className?: string;
  readonly ref?: Ref<HTMLElement> | undefined;
  readonly children: ReactNode;
}

/** A part of a page that scrolls by itself, by keyboard too. */
export function ScrollRegion({ label, className, ref, children }: ScrollRegionProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section ref={ref} tabIndex={0} aria-label={label} className={classNames('overflow-auto', className)}>
      {children}
    </section>
  );
}
