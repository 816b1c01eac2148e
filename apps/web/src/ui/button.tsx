import { LoaderCircle, type LucideIcon } from 'lucide-react';
import type { ComponentProps, ReactNode, Ref } from 'react';
import { classNames } from './class-names.ts';

type Look = 'primary' | 'plain' | 'quiet' | 'danger';

const LOOKS: Readonly<Record<Look, string>> = {
  primary: 'bg-accent text-accent-ink hover:bg-accent-strong border-transparent',
  plain: 'bg-surface text-ink border-line-strong hover:bg-hover',
  quiet: 'bg-transparent text-ink border-transparent hover:bg-hover',
  danger: 'bg-danger text-danger-ink hover:bg-danger-strong border-transparent',
};

export interface ButtonProps extends Omit<ComponentProps<'button'>, 'ref'> {
  readonly look?: Look;
  readonly small?: boolean;
  readonly icon?: LucideIcon | undefined;
  /** Shows that it works on something, and takes no further clicks. */
  readonly busy?: boolean;
  readonly children?: ReactNode;
  readonly ref?: Ref<HTMLButtonElement> | undefined;
}

export function Button({
  look = 'plain',
  small = false,
  icon: Icon,
  busy = false,
  className,
  children,
  type = 'button',
  disabled,
  ...rest
}: ButtonProps) {
  return (
    <button
      type={type}
      disabled={disabled === true || busy}
      aria-busy={busy || undefined}
      className={classNames(
        'inline-flex shrink-0 select-none items-center justify-center gap-2 rounded-lg border font-medium transition-colors',
        'disabled:opacity-55 pointer-coarse:min-h-11',
        small ? 'h-8 px-2.5 text-sm' : 'h-9.5 px-3.5',
        LOOKS[look],
        className,
      )}
      {...rest}
    >
      {busy ? (
        <LoaderCircle aria-hidden className="size-4 animate-spin" />
      ) : (
        Icon !== undefined && <Icon aria-hidden className="size-4" />
      )}
      {children}
    </button>
  );
}
