import type { LucideIcon } from 'lucide-react';
import type { ComponentProps, Ref } from 'react';
import { classNames } from './class-names.ts';
import { Tooltip } from './tooltip.tsx';

export interface IconButtonProps extends Omit<ComponentProps<'button'>, 'ref' | 'children'> {
  readonly icon: LucideIcon;
  /** What it does, for screen readers and as the tooltip. */
  readonly label: string;
  readonly small?: boolean;
  readonly pressed?: boolean | undefined;
  readonly noTooltip?: boolean;
  readonly ref?: Ref<HTMLButtonElement> | undefined;
}

/** A button that is only an icon. */
export function IconButton({
  icon: Icon,
  label,
  small = false,
  pressed,
  noTooltip = false,
  className,
  ...rest
}: IconButtonProps) {
  const button = (
    <button
      type="button"
      aria-label={label}
      aria-pressed={pressed}
      className={classNames(
        'inline-flex shrink-0 items-center justify-center rounded-lg text-quiet transition-colors hover:bg-hover hover:text-ink',
        'disabled:pointer-events-none disabled:opacity-45 aria-pressed:bg-hover aria-pressed:text-ink',
        small ? 'size-8' : 'size-9.5 pointer-coarse:size-11',
        className,
      )}
      {...rest}
    >
      <Icon aria-hidden className="size-4.5" />
    </button>
  );
  return noTooltip ? button : <Tooltip text={label}>{button}</Tooltip>;
}
