import type { CapacityResponse } from '@cairn/protocol';
import { useLayoutEffect, useRef, useState } from 'react';
import { formatBytes, formatDate, formatDateTime } from '../../../ui/format.ts';
import { t } from '../strings.ts';
import { areaPath, byteTicks, linearScale, linePath, timeTicks } from './scales.ts';

type CapacitySample = CapacityResponse['samples'][number];

const HEIGHT_PX = 200;
const MARGIN = { top: 12, right: 12, bottom: 24, left: 68 } as const;
/** Samples are taken hourly; a longer pause is a server that stood still. */
const MAX_PAUSE_MS = 3 * 3_600_000;
const LABEL_PX = 130;
const MAX_TABLE_ROWS = 60;

/** Used bytes over time, with what is needed of them and what fits in all. */
export function CapacityPlot({ samples }: { readonly samples: readonly CapacitySample[] }) {
  const { ref, width } = useWidth();
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || samples.length < 2) {
    return <p className="text-quiet">{t('capacity.few')}</p>;
  }
  const used = samples.map(({ at, usedBytes }) => ({ at, value: usedBytes }));
  const live = samples.map(({ at, liveBytes }) => ({ at, value: liveBytes }));
  const mostUsed = Math.max(...used.map(({ value }) => value), ...live.map(({ value }) => value));
  const capacity = last.capacityBytes;
  // A disk a hundred times as large would press the line to the ground; then the figure beside it must do.
  const showsCapacity = capacity !== null && capacity < mostUsed * 4;
  const ticks = byteTicks(showsCapacity ? Math.max(capacity, mostUsed) : mostUsed);
  const x = linearScale([first.at, last.at], [MARGIN.left, Math.max(width, 200) - MARGIN.right]);
  const y = linearScale([0, ticks.at(-1) ?? 1], [HEIGHT_PX - MARGIN.bottom, MARGIN.top]);
  const dates = timeTicks([first.at, last.at], Math.max(2, Math.min(6, Math.floor(width / LABEL_PX))));
  const isShort = last.at - first.at < 3 * 86_400_000;
  const label = t('capacity.label', {
    from: formatDateTime(first.at),
    until: formatDateTime(last.at),
    used: formatBytes(last.usedBytes),
    most: formatBytes(mostUsed),
  });
  return (
    <div ref={ref}>
      <svg
        role="img"
        aria-label={label}
        width="100%"
        height={HEIGHT_PX}
        className="block overflow-visible text-xs"
      >
        {ticks.map((tick) => (
          <g key={tick}>
            <line x1={MARGIN.left} x2="100%" y1={y(tick)} y2={y(tick)} className="stroke-line" />
            <text x={MARGIN.left - 8} y={y(tick)} dy="0.32em" textAnchor="end" className="fill-quiet">
              {formatBytes(tick)}
            </text>
          </g>
        ))}
        {dates.map((at, index) => (
          <text
            key={at}
            x={x(at)}
            y={HEIGHT_PX - 6}
            textAnchor={index === 0 ? 'start' : index === dates.length - 1 ? 'end' : 'middle'}
            className="fill-quiet"
          >
            {isShort ? formatDateTime(at) : formatDate(at)}
          </text>
        ))}
        <path d={areaPath(used, x, y)} className="fill-accent/15" />
        <path d={linePath(used, x, y, MAX_PAUSE_MS)} fill="none" strokeWidth={2} className="stroke-accent" />
        <path
          d={linePath(live, x, y, MAX_PAUSE_MS)}
          fill="none"
          strokeWidth={1.5}
          strokeDasharray="5 3"
          className="stroke-quiet"
        />
        {showsCapacity && (
          <line
            x1={MARGIN.left}
            x2="100%"
            y1={y(capacity)}
            y2={y(capacity)}
            strokeWidth={1.5}
            strokeDasharray="2 3"
            className="stroke-danger"
          />
        )}
      </svg>
      <ul className="mt-2 flex flex-wrap gap-x-5 gap-y-1 text-sm">
        <Key line="border-accent border-t-2" name={t('capacity.used')} bytes={last.usedBytes} />
        <Key line="border-quiet border-t-2 border-dashed" name={t('capacity.live')} bytes={last.liveBytes} />
        {capacity !== null && (
          <Key line="border-danger border-t-2 border-dotted" name={t('capacity.capacity')} bytes={capacity} />
        )}
      </ul>
      <SampleTable samples={samples} />
    </div>
  );
}

function Key({
  line,
  name,
  bytes,
}: {
  readonly line: string;
  readonly name: string;
  readonly bytes: number;
}) {
  return (
    <li className="flex items-center gap-2">
      <span aria-hidden className={`w-5 ${line}`} />
      {name} <span className="font-medium tabular-nums">{formatBytes(bytes)}</span>
    </li>
  );
}

/** The same figures for who cannot see the plot; of many samples some. */
function SampleTable({ samples }: { readonly samples: readonly CapacitySample[] }) {
  const step = Math.max(1, Math.ceil(samples.length / MAX_TABLE_ROWS));
  const shown = samples.filter((_sample, index) => index % step === 0 || index === samples.length - 1);
  return (
    <details className="mt-2 text-sm">
      <summary className="w-fit rounded text-quiet hover:text-ink">{t('asTable')}</summary>
      <div className="mt-2 max-h-72 overflow-auto">
        <table className="w-full min-w-80 text-left tabular-nums">
          <thead className="text-quiet">
            <tr>
              {[t('capacity.at'), t('capacity.used'), t('capacity.live'), t('capacity.capacity')].map(
                (name) => (
                  <th key={name} scope="col" className="py-1 pr-3 font-medium">
                    {name}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {shown.map((sample) => (
              <tr key={sample.at} className="border-line border-t">
                <th scope="row" className="py-1 pr-3 font-normal">
                  {formatDateTime(sample.at)}
                </th>
                <td className="pr-3">{formatBytes(sample.usedBytes)}</td>
                <td className="pr-3">{formatBytes(sample.liveBytes)}</td>
                <td>{formatBytes(sample.capacityBytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function useWidth() {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 600));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { ref, width };
}
