import {
  cloneElement,
  type KeyboardEvent,
  lazy,
  type MouseEvent,
  type ReactElement,
  Suspense,
  useRef,
  useState,
} from 'react';
import type { MenuEntry, MenuPlace } from './menu-entry.ts';

export type { MenuEntry } from './menu-entry.ts';

const loadContent = () => import('./menu-content.tsx');
const MenuContent = lazy(async () => ({ default: (await loadContent()).MenuContent }));

interface Opened {
  readonly place: MenuPlace;
  readonly owner: HTMLElement | null;
}

export interface MenuProps {
  /** The button that opens it. */
  readonly trigger: ReactElement;
  readonly entries: readonly MenuEntry[];
  readonly align?: 'start' | 'center' | 'end';
  readonly onOpenChange?: (open: boolean) => void;
}

/** A menu below a button. */
export function Menu({ trigger, entries, align = 'end', onOpenChange }: MenuProps) {
  const [opened, setOpened] = useState<Opened | null>(null);

  function open(button: HTMLElement): void {
    const { left, top, width, height } = button.getBoundingClientRect();
    setOpened({ place: { left, top, width, height }, owner: button });
    onOpenChange?.(true);
  }
  function close(): void {
    setOpened(null);
    onOpenChange?.(false);
  }
  const given = (trigger as ReactElement<Record<string, unknown>>).props;
  const button = cloneElement(trigger as ReactElement<Record<string, unknown>>, {
    'aria-haspopup': 'menu',
    'aria-expanded': opened !== null,
    'data-state': opened === null ? 'closed' : 'open',
    onPointerEnter: () => void loadContent(),
    onFocus: () => void loadContent(),
    onClick: (event: MouseEvent<HTMLElement>) => {
      (given['onClick'] as ((event: MouseEvent<HTMLElement>) => void) | undefined)?.(event);
      if (opened === null) open(event.currentTarget);
      else close();
    },
    onKeyDown: (event: KeyboardEvent<HTMLElement>) => {
      if (event.key !== 'ArrowDown') return;
      event.preventDefault();
      event.stopPropagation();
      open(event.currentTarget);
    },
  });
  return (
    <>
      {button}
      {opened !== null && (
        <Suspense fallback={null}>
          <MenuContent {...opened} align={align} entries={entries} onClose={close} />
        </Suspense>
      )}
    </>
  );
}

export interface ContextMenuProps {
  /** What is right-clicked: one element. */
  readonly children: ReactElement;
  readonly entries: readonly MenuEntry[];
  readonly disabled?: boolean;
  readonly onOpenChange?: (open: boolean) => void;
}

/** A menu where the pointer is. An element's own handler may refuse it by preventing the default. */
export function ContextMenu({ children, entries, disabled = false, onOpenChange }: ContextMenuProps) {
  const [opened, setOpened] = useState<(Opened & { readonly id: number }) | null>(null);
  const count = useRef(0);
  const given = (children as ReactElement<Record<string, unknown>>).props;
  const area = cloneElement(children as ReactElement<Record<string, unknown>>, {
    onContextMenu: (event: MouseEvent<HTMLElement>) => {
      (given['onContextMenu'] as ((event: MouseEvent<HTMLElement>) => void) | undefined)?.(event);
      if (disabled || event.isDefaultPrevented()) return;
      event.preventDefault();
      const owner = document.activeElement instanceof HTMLElement ? document.activeElement : null;
      const place = { left: event.clientX, top: event.clientY, width: 0, height: 0 };
      setOpened({ place, owner, id: ++count.current });
      onOpenChange?.(true);
    },
  });
  return (
    <>
      {area}
      {opened !== null && (
        <Suspense fallback={null}>
          <MenuContent
            key={opened.id}
            place={opened.place}
            owner={opened.owner}
            align="start"
            entries={entries}
            onClose={() => {
              setOpened(null);
              onOpenChange?.(false);
            }}
          />
        </Suspense>
      )}
    </>
  );
}
