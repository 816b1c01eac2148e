import { Search, X } from 'lucide-react';
import { type Ref, useId } from 'react';
import { IconButton } from '../../ui/icon-button.tsx';
import { t } from './strings.ts';

export interface FindFieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** Enter: looks everywhere. */
  readonly onSearch: () => void;
  readonly onClear: () => void;
  /** Arrow down: to the list. */
  readonly onLeave: () => void;
  readonly ref?: Ref<HTMLInputElement>;
}

/** Filters the folder while typing; Enter searches the whole space. */
export function FindField({ value, onChange, onSearch, onClear, onLeave, ref }: FindFieldProps) {
  const id = useId();
  return (
    <form
      role="search"
      className="relative w-full md:w-72"
      onSubmit={(event) => {
        event.preventDefault();
        onSearch();
      }}
    >
      <label htmlFor={id} className="sr-only">
        {t('find')}
      </label>
      <Search aria-hidden className="absolute top-1/2 left-3 size-4 -translate-y-1/2 text-quiet" />
      <input
        ref={ref}
        id={id}
        type="search"
        value={value}
        placeholder={t('findShort')}
        title={t('find')}
        autoComplete="off"
        spellCheck={false}
        enterKeyHint="search"
        maxLength={255}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            event.preventDefault();
            onClear();
          }
          if (event.key === 'ArrowDown') {
            event.preventDefault();
            onLeave();
          }
        }}
        className="h-9.5 w-full rounded-lg border border-line bg-surface pr-9 pl-9 placeholder:text-quiet pointer-coarse:h-11 pointer-coarse:text-base [&::-webkit-search-cancel-button]:hidden"
      />
      {value !== '' && (
        <IconButton
          icon={X}
          small
          noTooltip
          label={t('clearFind')}
          onClick={onClear}
          className="absolute top-1/2 right-1 -translate-y-1/2"
        />
      )}
    </form>
  );
}
