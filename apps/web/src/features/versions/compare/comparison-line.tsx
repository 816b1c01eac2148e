import { classNames } from '../../../ui/class-names.ts';
import type { Line } from './compare-texts.ts';
import type { ComparisonItem } from './lay-out-rows.ts';
import { t } from './strings.ts';

type Sign = ' ' | '-' | '+';
/** The rest of a longer line is not drawn: a browser is slow with lines of a million letters. */
const MAX_SHOWN_CHARACTERS = 4000;

const GROUNDS: Readonly<Record<Sign, string>> = {
  ' ': '',
  '-': 'bg-danger-soft/70',
  '+': 'bg-good-soft/70',
};
const MARKS: Readonly<Record<Sign, string>> = {
  ' ': '',
  '-': 'rounded-xs bg-danger/25 font-semibold',
  '+': 'rounded-xs bg-good/25 font-semibold',
};

/** One line of the unified view, or one row of the two columns. */
export function ComparisonLine({ item }: { readonly item: Exclude<ComparisonItem, { type: 'gap' }> }) {
  if (item.type === 'line') {
    return (
      <div className={classNames('flex font-mono text-xs', GROUNDS[item.sign])}>
        <LineNumber value={item.older} name={t('olderLine')} />
        <LineNumber value={item.newer} name={t('newerLine')} />
        <Text line={item.line} sign={item.sign} />
      </div>
    );
  }
  const { kind, older, newer } = item.row;
  const isSame = kind === 'same';
  return (
    <div className="grid grid-cols-2 font-mono text-xs">
      <Side line={older} sign={isSame ? ' ' : '-'} name={t('olderLine')} />
      <Side line={newer} sign={isSame ? ' ' : '+'} name={t('newerLine')} className="border-line border-l" />
    </div>
  );
}

function Side(props: { line: Line | null; sign: Sign; name: string; className?: string }) {
  if (props.line === null) return <div className={classNames('bg-sunken', props.className)} />;
  return (
    <div className={classNames('flex min-w-0', GROUNDS[props.sign], props.className)}>
      <LineNumber value={props.line.number} name={props.name} />
      <Text line={props.line} sign={props.sign} />
    </div>
  );
}

function LineNumber({ value, name }: { readonly value: number | null; readonly name: string }) {
  return (
    <span className="w-11 shrink-0 select-none py-0.5 pr-2 text-right text-quiet tabular-nums">
      {value !== null && (
        <>
          <span className="sr-only">{name} </span>
          {value}
        </>
      )}
    </span>
  );
}

function Text({ line, sign }: { readonly line: Line; readonly sign: Sign }) {
  let left = MAX_SHOWN_CHARACTERS;
  return (
    <span className="min-w-0 flex-1 whitespace-pre-wrap py-0.5 pr-3 [overflow-wrap:anywhere]">
      <span aria-hidden className="inline-block w-4 select-none text-center text-quiet">
        {sign === '-' ? '−' : sign}
      </span>
      {sign !== ' ' && <span className="sr-only">{sign === '-' ? t('removedSign') : t('addedSign')}: </span>}
      {line.pieces.map((piece, index) => {
        if (left <= 0) return null;
        const shown = piece.text.slice(0, left);
        left -= piece.text.length;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a line never change
          <span key={index} className={piece.isMarked ? MARKS[sign] : undefined}>
            {shown}
            {shown.length < piece.text.length && '…'}
          </span>
        );
      })}
    </span>
  );
}
