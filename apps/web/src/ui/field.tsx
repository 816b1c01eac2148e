import { type ComponentProps, type ReactNode, type Ref, useId } from 'react';
import { classNames } from './class-names.ts';

const CONTROL =
  'w-full rounded-lg border border-line-strong bg-surface px-3 text-ink placeholder:text-quiet disabled:opacity-55 aria-invalid:border-danger';

export interface TextFieldProps extends Omit<ComponentProps<'input'>, 'ref'> {
  readonly label: string;
  readonly hint?: ReactNode;
  /** What is wrong with the value, and what to do. */
  readonly error?: ReactNode;
  readonly hideLabel?: boolean;
  readonly ref?: Ref<HTMLInputElement> | undefined;
}

export function TextField({ label, hint, error, hideLabel = false, className, ...rest }: TextFieldProps) {
  const id = useId();
  const hasError = error !== undefined && error !== null && error !== '';
  const noteId = hasError || hint !== undefined ? `${id}-note` : undefined;
  return (
    <div className={className}>
      <label htmlFor={id} className={hideLabel ? 'sr-only' : 'mb-1 block font-medium text-sm'}>
        {label}
      </label>
      <input
        id={id}
        aria-invalid={hasError || undefined}
        aria-describedby={noteId}
        className={classNames(CONTROL, 'h-10 pointer-coarse:h-11 pointer-coarse:text-base')}
        {...rest}
      />
      {hasError ? (
        <p id={noteId} role="alert" className="mt-1 text-danger text-sm">
          {error}
        </p>
      ) : (
        hint !== undefined && (
          <p id={noteId} className="mt-1 text-quiet text-sm">
            {hint}
          </p>
        )
      )}
    </div>
  );
}

export interface SelectProps<Value extends string> {
  readonly label: string;
  readonly hideLabel?: boolean;
  readonly value: Value;
  readonly options: readonly { readonly value: Value; readonly label: string }[];
  readonly onChange: (value: Value) => void;
  readonly className?: string;
  readonly disabled?: boolean;
}

/** The browser's own select: right on phones, and free of injected styles. */
export function Select<Value extends string>(props: SelectProps<Value>) {
  const id = useId();
  return (
    <div className={props.className}>
      <label htmlFor={id} className={props.hideLabel === true ? 'sr-only' : 'mb-1 block font-medium text-sm'}>
        {props.label}
      </label>
      <select
        id={id}
        value={props.value}
        disabled={props.disabled === true}
        onChange={(event) => props.onChange(event.target.value as Value)}
        className={classNames(CONTROL, 'h-9.5 pointer-coarse:h-11')}
      >
        {props.options.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}

export interface CheckboxProps {
  readonly label: ReactNode;
  readonly hideLabel?: boolean;
  readonly checked: boolean | 'mixed';
  readonly onChange: (checked: boolean) => void;
  readonly disabled?: boolean;
  readonly className?: string;
  readonly tabIndex?: number;
}

export function Checkbox(props: CheckboxProps) {
  const mixed = props.checked === 'mixed';
  return (
    <label className={classNames('inline-flex items-center gap-2', props.className)}>
      <input
        type="checkbox"
        checked={props.checked === true}
        ref={(element) => {
          if (element !== null) element.indeterminate = mixed;
        }}
        disabled={props.disabled === true}
        tabIndex={props.tabIndex}
        onChange={(event) => props.onChange(event.target.checked)}
        className="size-4 accent-accent"
      />
      <span className={props.hideLabel === true ? 'sr-only' : undefined}>{props.label}</span>
    </label>
  );
}
