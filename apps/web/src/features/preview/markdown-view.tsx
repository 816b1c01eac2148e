import { lexer, type Token, type Tokens } from 'marked';
import { Fragment, type ReactNode } from 'react';
import { safeAddress } from './safe-address.ts';
import { t } from './strings.ts';
import { decodeEntities } from './text-entities.ts';

/** What is nested deeper is shown as its source. */
const MAX_DEPTH = 40;
/** Longer texts are shown as text: laying out so much at once would hold up the page. */
export const MAX_MARKDOWN_CHARACTERS = 256 * 1024;

const HEADINGS = ['h2', 'h3', 'h4', 'h5', 'h6', 'h6'] as const;
const HEADING_LOOKS = [
  'text-2xl font-semibold',
  'text-xl font-semibold',
  'text-lg font-semibold',
  'font-semibold',
  'font-semibold',
  'font-semibold text-quiet',
] as const;
const ALIGN = { left: 'text-left', center: 'text-center', right: 'text-right' } as const;

/**
 * Markdown as React elements. Only the structure is taken from the text; it is never HTML, sets no attribute but the
 * address of a harmless link, and loads nothing.
 */
export function MarkdownView({ text }: { readonly text: string }) {
  let tokens: readonly Token[];
  try {
    tokens = lexer(text, { gfm: true });
  } catch {
    // Too deep for the parser.
    return <pre className="whitespace-pre-wrap font-mono text-sm">{text}</pre>;
  }
  return <div className="space-y-3 break-words leading-relaxed">{renderAll(tokens, 0)}</div>;
}

function renderAll(tokens: readonly Token[] | undefined, depth: number): ReactNode {
  // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text have no identity but their place
  return tokens?.map((token, index) => <Fragment key={index}>{renderOne(token, depth)}</Fragment>);
}

function renderOne(token: Token, depth: number): ReactNode {
  if (depth > MAX_DEPTH) return token.raw;
  const below = (of: { readonly tokens?: Token[] | undefined }) => renderAll(of.tokens, depth + 1);
  switch (token.type) {
    case 'space':
    case 'def':
      return null;
    case 'hr':
      return <hr className="border-line" />;
    case 'br':
      return <br />;
    case 'heading': {
      const level = Math.min(Math.max((token as Tokens.Heading).depth, 1), 6) - 1;
      const Heading = HEADINGS[level] ?? 'h6';
      return <Heading className={`pt-2 ${HEADING_LOOKS[level]}`}>{below(token as Tokens.Heading)}</Heading>;
    }
    case 'paragraph':
      return <p>{below(token as Tokens.Paragraph)}</p>;
    case 'blockquote':
      return (
        <blockquote className="space-y-2 border-line-strong border-l-4 pl-4 text-quiet">
          {below(token as Tokens.Blockquote)}
        </blockquote>
      );
    case 'code':
      return (
        <pre className="overflow-x-auto rounded-lg bg-sunken p-3 font-mono text-sm">
          {(token as Tokens.Code).text}
        </pre>
      );
    case 'codespan':
      return (
        <code className="rounded bg-sunken px-1 py-0.5 font-mono text-[0.9em]">
          {(token as Tokens.Codespan).text}
        </code>
      );
    case 'strong':
      return <strong>{below(token as Tokens.Strong)}</strong>;
    case 'em':
      return <em>{below(token as Tokens.Em)}</em>;
    case 'del':
      return <del>{below(token as Tokens.Del)}</del>;
    case 'list':
      return renderList(token as Tokens.List, depth);
    case 'table':
      return renderTable(token as Tokens.Table, depth);
    case 'link': {
      const { href } = token as Tokens.Link;
      return <SafeLink address={href}>{below(token as Tokens.Link)}</SafeLink>;
    }
    case 'image': {
      const { href, text } = token as Tokens.Image;
      const words = decodeEntities(text);
      return (
        <SafeLink address={href}>{words === '' ? t('imageNoText') : t('image', { text: words })}</SafeLink>
      );
    }
    case 'checkbox':
      return (
        <input
          type="checkbox"
          aria-label={(token as Tokens.Checkbox).checked ? t('taskDone') : t('taskOpen')}
          disabled
          checked={(token as Tokens.Checkbox).checked}
          readOnly
          className="mr-1.5"
        />
      );
    case 'escape':
      return (token as Tokens.Escape).text;
    case 'text': {
      const { tokens, text } = token as Tokens.Text;
      return tokens === undefined ? decodeEntities(text) : renderAll(tokens, depth + 1);
    }
    // HTML, and whatever a later version of the parser may bring: its source, as text.
    default:
      return <span className="whitespace-pre-wrap font-mono text-quiet text-sm">{token.raw}</span>;
  }
}

function SafeLink({ address, children }: { readonly address: string; readonly children: ReactNode }) {
  const href = safeAddress(address);
  if (href === null) return <span>{children}</span>;
  return (
    <a
      href={href}
      target="_blank"
      rel="noopener noreferrer nofollow"
      className="text-accent-text underline underline-offset-2"
    >
      {children}
    </a>
  );
}

function renderList(list: Tokens.List, depth: number): ReactNode {
  const items = list.items.map((item, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: as above
    <li key={index} className={item.task ? '-ml-5 list-none' : 'pl-1'}>
      {renderAll(item.tokens, depth + 1)}
    </li>
  ));
  if (!list.ordered) return <ul className="list-disc space-y-1 pl-6">{items}</ul>;
  return (
    <ol start={Number(list.start) || 1} className="list-decimal space-y-1 pl-6">
      {items}
    </ol>
  );
}

function renderTable(table: Tokens.Table, depth: number): ReactNode {
  const look = (cell: Tokens.TableCell) => `border border-line px-3 py-1.5 ${ALIGN[cell.align ?? 'left']}`;
  return (
    <div className="overflow-x-auto">
      <table className="border-collapse text-sm">
        <thead>
          <tr className="bg-sunken">
            {table.header.map((cell, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: as above
              <th key={index} className={look(cell)}>
                {renderAll(cell.tokens, depth + 1)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, line) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: as above
            <tr key={line}>
              {row.map((cell, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: as above
                <td key={index} className={look(cell)}>
                  {renderAll(cell.tokens, depth + 1)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
