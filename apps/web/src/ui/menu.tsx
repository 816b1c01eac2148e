import type { LucideIcon } from 'lucide-react';
import { ContextMenu as RadixContextMenu, DropdownMenu as RadixMenu } from 'radix-ui';
import type { ReactNode } from 'react';
import { classNames } from './class-names.ts';

/** One line of a menu; `'line'` draws a separator. */
export type MenuEntry =
  | 'line'
  | {
      readonly label: string;
      readonly icon?: LucideIcon | undefined;
      /** Shown only, such as `F2`. */
      readonly shortcut?: string | undefined;
      readonly danger?: boolean;
      readonly disabled?: boolean;
      /** A tick before it, for choices. */
      readonly checked?: boolean;
      readonly onSelect: () => void;
    };

const CONTENT =
  'z-50 min-w-52 max-w-80 animate-fade-in rounded-xl border border-line bg-raised p-1 shadow-raised max-h-[min(32rem,85dvh)] overflow-y-auto';
const ITEM =
  'flex cursor-default select-none items-center gap-2.5 rounded-lg px-2.5 py-1.5 pointer-coarse:py-2.5 outline-none data-[highlighted]:bg-hover data-[disabled]:opacity-45';

function Entries({
  entries,
  parts,
}: {
  readonly entries: readonly MenuEntry[];
  readonly parts: typeof RadixMenu | typeof RadixContextMenu;
}) {
  // Both menus have the same parts; the types of one serve for both.
  const Part = parts as typeof RadixMenu;
  return entries.map((entry, index) => {
    if (entry === 'line') {
      // biome-ignore lint/suspicious/noArrayIndexKey: separators have no other identity
      return <Part.Separator key={`line-${index}`} className="my-1 h-px bg-line" />;
    }
    const { icon: Icon } = entry;
    return (
      <Part.Item
        key={entry.label}
        disabled={entry.disabled === true}
        onSelect={entry.onSelect}
        aria-checked={entry.checked}
        {...(entry.checked === undefined ? {} : { role: 'menuitemradio' })}
        className={classNames(ITEM, entry.danger === true && 'text-danger')}
      >
        {Icon !== undefined && <Icon aria-hidden className="size-4 shrink-0 opacity-80" />}
        <span className="min-w-0 flex-1 truncate">{entry.label}</span>
        {entry.checked === true && (
          <span aria-hidden className="text-accent-text">
            ✓
          </span>
        )}
        {entry.shortcut !== undefined && (
          <kbd aria-hidden className="pl-4 font-sans text-quiet text-xs pointer-coarse:hidden">
            {entry.shortcut}
          </kbd>
        )}
      </Part.Item>
    );
  });
}

export interface MenuProps {
  /** The button that opens it; must take a ref. */
  readonly trigger: ReactNode;
  readonly entries: readonly MenuEntry[];
  readonly align?: 'start' | 'center' | 'end';
  readonly onOpenChange?: (open: boolean) => void;
}

/** A menu below a button. Not modal: a modal one would inject a style sheet that the policy refuses. */
export function Menu({ trigger, entries, align = 'end', onOpenChange }: MenuProps) {
  return (
    <RadixMenu.Root modal={false} {...(onOpenChange === undefined ? {} : { onOpenChange })}>
      <RadixMenu.Trigger asChild>{trigger}</RadixMenu.Trigger>
      <RadixMenu.Portal>
        <RadixMenu.Content className={CONTENT} align={align} sideOffset={6} collisionPadding={8} loop>
          <Entries entries={entries} parts={RadixMenu} />
        </RadixMenu.Content>
      </RadixMenu.Portal>
    </RadixMenu.Root>
  );
}

export interface ContextMenuProps {
  /** What is right-clicked; must take a ref. */
  readonly children: ReactNode;
  readonly entries: readonly MenuEntry[];
  readonly disabled?: boolean;
  readonly onOpenChange?: (open: boolean) => void;
}

/** A menu where the pointer is: right click, long press or the context menu key. */
export function ContextMenu({ children, entries, disabled = false, onOpenChange }: ContextMenuProps) {
  return (
    <RadixContextMenu.Root modal={false} {...(onOpenChange === undefined ? {} : { onOpenChange })}>
      <RadixContextMenu.Trigger asChild disabled={disabled}>
        {children}
      </RadixContextMenu.Trigger>
      <RadixContextMenu.Portal>
        <RadixContextMenu.Content className={CONTENT} collisionPadding={8} loop>
          <Entries entries={entries} parts={RadixContextMenu} />
        </RadixContextMenu.Content>
      </RadixContextMenu.Portal>
    </RadixContextMenu.Root>
  );
}
