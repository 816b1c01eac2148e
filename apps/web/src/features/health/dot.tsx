import { classNames } from '../../ui/class-names.ts';
import type { Light } from './node-states.ts';

/** Differ in shape too, for who does not see colours: round, on its tip, square. */
const SHAPES: Readonly<Record<Light, string>> = {
  good: 'bg-good',
  warn: 'bg-warn rounded-none rotate-45 scale-90',
  danger: 'bg-danger rounded-xs',
};

/** A light beside words that say the same. */
export function Dot({ light }: { readonly light: Light }) {
  return (
    <span aria-hidden className={classNames('inline-block size-2.5 shrink-0 rounded-full', SHAPES[light])} />
  );
}
