import { describeNameProblem, findNameProblem } from '@cairn/model';
import type { FileObject } from '@cairn/protocol';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { t } from './strings.ts';

export interface NameEditorProps {
  readonly entry: FileObject;
  /** Resolves to what is wrong with the name, or null. */
  readonly onRename: (name: string) => Promise<string | null>;
  readonly onEnd: () => void;
}

/** What keeps a text from being a name, as a sentence; null when nothing does. */
export function nameProblem(name: string): string | null {
  const problem = findNameProblem(name);
  if (problem === null) return null;
  const text = describeNameProblem(problem);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** The name of an entry, being typed over in its place. Enter takes it, Escape gives up. */
export function NameEditor({ entry, onRename, onEnd }: NameEditorProps) {
  const [name, setName] = useState(entry.name);
  const [problem, setProblem] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const ended = useRef(false);

  useEffect(() => {
    const dot = entry.kind === 'folder' ? -1 : entry.name.lastIndexOf('.');
    input.current?.focus();
    // The extension mostly stays.
    input.current?.setSelectionRange(0, dot <= 0 ? entry.name.length : dot);
  }, [entry]);

  /** Whoever typed goes on in the list; whoever clicked elsewhere is there already. */
  function end(): void {
    ended.current = true;
    const grid = input.current?.closest<HTMLElement>('[role="grid"]');
    if (document.activeElement === input.current) grid?.focus({ preventScroll: true });
    onEnd();
  }

  async function finish(): Promise<void> {
    if (ended.current) return;
    const wanted = name.trim();
    if (wanted === entry.name || wanted === '') {
      end();
      return;
    }
    const wrong = nameProblem(wanted);
    if (wrong !== null) {
      setProblem(wrong);
      return;
    }
    ended.current = true;
    const refused = await onRename(wanted);
    if (refused === null) {
      end();
      return;
    }
    ended.current = false;
    setProblem(refused);
    input.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent): void {
    event.stopPropagation();
    if (event.key === 'Enter') void finish();
    if (event.key === 'Escape') end();
  }

  return (
    <span className="relative block min-w-0 flex-1">
      <input
        ref={input}
        value={name}
        aria-label={t('renameOf', { name: entry.name })}
        aria-invalid={problem !== null || undefined}
        aria-describedby={problem === null ? undefined : 'name-problem'}
        spellCheck={false}
        onChange={(event) => {
          setName(event.target.value);
          setProblem(null);
        }}
        onBlur={() => {
          if (ended.current) return;
          if (problem === null) void finish();
          else onEnd();
        }}
        onKeyDown={onKeyDown}
        onClick={(event) => event.stopPropagation()}
        onDoubleClick={(event) => event.stopPropagation()}
        className="h-8 w-full rounded-md border border-accent bg-surface px-2 aria-invalid:border-danger"
      />
      {problem !== null && (
        <span
          id="name-problem"
          role="alert"
          className="absolute top-full left-0 z-30 mt-1 rounded-md bg-danger px-2 py-1 text-danger-ink text-sm shadow-raised"
        >
          {problem}
        </span>
      )}
    </span>
  );
}
