import { classNames } from '../../../ui/class-names.ts';
import { formatBytes, formatPercent } from '../../../ui/format.ts';
import { t } from '../strings.ts';
import { barWidths } from './scales.ts';

export interface BarPart {
  readonly name: string;
  readonly bytes: number;
  /** Class of the ground; hatched parts are what is not there, such as what was saved. */
  readonly ground: string;
}

/** Parts of a whole in one bar. The figures are in the legend; the bar says them to screen readers too. */
export function StackedBar({ title, parts }: { readonly title: string; readonly parts: readonly BarPart[] }) {
  const widths = barWidths(parts.map(({ bytes }) => bytes));
  const words = parts.map(({ name, bytes }) => t('figure', { name, size: formatBytes(bytes) })).join(', ');
  const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  return (
    <figure>
      <figcaption className="mb-1.5 flex flex-wrap items-baseline justify-between gap-x-3">
        <span className="font-medium text-sm">{title}</span>
        <span className="text-quiet text-sm tabular-nums">{t('total', { size: formatBytes(total) })}</span>
      </figcaption>
      <div
        role="img"
        aria-label={t('barLabel', { title, parts: words })}
        className="flex h-7 gap-0.5 overflow-hidden rounded-lg bg-sunken"
      >
        {parts.map(({ name, ground }, index) =>
          (widths[index] ?? 0) === 0 ? null : (
            <span key={name} title={words} className={ground} style={{ width: `${widths[index]}%` }} />
          ),
        )}
      </div>
      <ul aria-label={t('partsOf')} className="mt-2 flex flex-wrap gap-x-5 gap-y-1">
        {parts.map(({ name, bytes, ground }) => (
          <li key={name} className="flex items-center gap-2 text-sm">
            <span aria-hidden className={classNames('size-3 shrink-0 rounded-sm', ground)} />
            <span>{name}</span>
            <span className="whitespace-nowrap font-medium tabular-nums">{formatBytes(bytes)}</span>
            {total > 0 && <span className="text-quiet tabular-nums">{formatPercent(bytes / total)}</span>}
          </li>
        ))}
      </ul>
    </figure>
  );
}
