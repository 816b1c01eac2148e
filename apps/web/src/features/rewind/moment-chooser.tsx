import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useEffect, useId, useRef, useState } from 'react';
import { Button } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { formatDate, formatExact } from '../../ui/format.ts';
import { IconButton } from '../../ui/icon-button.tsx';
import { fromInputValue, type Moment, momentBefore, toInputValue } from './moments.ts';
import { t } from './strings.ts';

/** While somebody drags, only where they pause is asked for. */
const DRAG_PAUSE_MS = 180;
const BAR_PX = 40;
const MIN_BAR_PX = 6;

export interface MomentChooserProps {
  /** Oldest first. */
  readonly moments: readonly Moment[];
  /** Undefined: now. */
  readonly at: number | undefined;
  readonly onChange: (at: number | undefined) => void;
  readonly onEarlier: (() => void) | undefined;
  readonly isLoadingEarlier: boolean;
}

/** Chooses an instant: by a slider over the moments of change, step by step, or by day and time. */
export function MomentChooser(props: MomentChooserProps) {
  const { moments, at, onChange } = props;
  const last = moments.length - 1;
  const chosen = at === undefined ? last : momentBefore(moments, at);
  const [draft, setDraft] = useState<number | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const index = draft ?? chosen;
  const moment = moments[index];
  const inputId = useId();

  function choose(next: number): void {
    setDraft(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      setDraft(null);
      onChange(next >= last ? undefined : moments[next]?.at);
    }, DRAG_PAUSE_MS);
  }

  return (
    <fieldset className="rounded-xl border border-line bg-surface px-4 pt-3 pb-4">
      <legend className="sr-only">{t('chooserLabel')}</legend>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <IconButton
          icon={ChevronLeft}
          label={t('earlier')}
          disabled={index <= 0}
          onClick={() => choose(index - 1)}
        />
        <label htmlFor={inputId} className="sr-only">
          {t('date')}
        </label>
        <input
          id={inputId}
          type="datetime-local"
          step={1}
          value={toInputValue(at ?? moment?.at ?? Date.now())}
          max={toInputValue(Date.now())}
          onChange={(event) => {
            const instant = fromInputValue(event.target.value);
            if (instant !== null) onChange(instant >= Date.now() ? undefined : instant);
          }}
          className="h-9.5 min-w-0 rounded-lg border border-line-strong bg-surface px-3 max-sm:order-first max-sm:w-full pointer-coarse:h-11 pointer-coarse:text-base"
        />
        <IconButton
          icon={ChevronRight}
          label={t('later')}
          disabled={index >= last}
          onClick={() => choose(index + 1)}
        />
        <Button small disabled={at === undefined} onClick={() => onChange(undefined)}>
          {t('now')}
        </Button>
        <span className="flex-1" />
        {props.onEarlier !== undefined && (
          <Button small look="quiet" busy={props.isLoadingEarlier} onClick={props.onEarlier}>
            {t('loadEarlier')}
          </Button>
        )}
      </div>
      {moments.length === 0 ? (
        <p className="text-quiet text-sm">{t('noMoments')}</p>
      ) : (
        <div className="relative">
          <Bars moments={moments} index={index} />
          <input
            type="range"
            min={0}
            max={Math.max(last, 0)}
            value={Math.max(index, 0)}
            aria-label={t('sliderLabel')}
            aria-valuetext={
              moment === undefined
                ? undefined
                : t('sliderText', { at: formatExact(moment.at), count: moment.changes })
            }
            onChange={(event) => choose(Number(event.target.value))}
            className="mt-1 block w-full cursor-pointer accent-accent pointer-coarse:h-8"
          />
          <div className="mt-1 flex justify-between text-quiet text-xs">
            <span>{formatDate(moments[0]?.at ?? 0)}</span>
            <span>{t('now')}</span>
          </div>
        </div>
      )}
      <p aria-live="polite" className="mt-2 text-sm">
        {at === undefined && index >= last ? (
          <span className="text-quiet">{t('isNow')}</span>
        ) : (
          <>
            <span className="font-medium">
              {t('asOf', { at: formatExact(draft === null ? (at ?? 0) : (moment?.at ?? 0)) })}
            </span>
            {moment !== undefined && (
              <span className="text-quiet">
                {' · '}
                {t('byDevices', { count: moment.changes, devices: moment.deviceNames.join(', ') })}
              </span>
            )}
          </>
        )}
      </p>
    </fieldset>
  );
}

/** One bar for each moment, the higher the more changed; what would be gone back over is pale. */
function Bars({ moments, index }: { readonly moments: readonly Moment[]; readonly index: number }) {
  const most = Math.log2(Math.max(...moments.map(({ changes }) => changes)) + 1);
  return (
    <div aria-hidden className="flex items-end justify-between" style={{ height: BAR_PX }}>
      {moments.map(({ at, changes }, position) => (
        // As wide as the knob of the slider, so that each stands above its place on it.
        <span key={at} className="flex w-4 min-w-0 justify-center">
          <span
            className={classNames(
              'w-3/5 max-w-2.5 rounded-t-xs',
              position > index ? 'bg-line-strong' : position === index ? 'bg-accent' : 'bg-accent/45',
            )}
            style={{ height: MIN_BAR_PX + (Math.log2(changes + 1) / most) * (BAR_PX - MIN_BAR_PX) }}
          />
        </span>
      ))}
    </div>
  );
}
