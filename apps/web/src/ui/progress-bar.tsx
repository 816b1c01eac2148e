import { classNames } from './class-names.ts';

export interface ProgressBarProps {
  /** From 0 to 1; null while nobody can say. */
  readonly value: number | null;
  readonly label: string;
  readonly tone?: 'accent' | 'good' | 'warn' | 'danger';
  readonly className?: string;
}

const TONES = { accent: 'bg-accent', good: 'bg-good', warn: 'bg-warn', danger: 'bg-danger' } as const;

export function ProgressBar({ value, label, tone = 'accent', className }: ProgressBarProps) {
  const percent = value === null ? null : Math.round(Math.min(1, Math.max(0, value)) * 1000) / 10;
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent ?? undefined}
      className={classNames('h-1.5 w-full overflow-hidden rounded-full bg-line', className)}
    >
      <div
        className={classNames(
          'h-full rounded-full',
          TONES[tone],
          percent === null ? 'w-1/3 animate-indeterminate' : 'w-full',
        )}
        // Moved instead of resized, and in steps: work of this page's own is not to be slowed by showing it.
        style={percent === null ? undefined : { transform: `translateX(${percent - 100}%)` }}
      />
    </div>
  );
}
