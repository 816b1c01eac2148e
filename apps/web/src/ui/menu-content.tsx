import { DropdownMenu as Parts } from 'radix-ui';
import { createPortal } from 'react-dom';
import { classNames } from './class-names.ts';
import type { MenuEntry, MenuPlace } from './menu-entry.ts';

const CONTENT =
  'z-50 min-w-52 max-w-80 animate-fade-in rounded-xl border border-line bg-raised p-1 shadow-raised max-h-[min(32rem,85dvh)] overflow-y-auto';
const ITEM =
  'flex cursor-default select-none items-center gap-2.5 rounded-lg px-2.5 py-1.5 pointer-coarse:py-2.5 outline-none data-[highlighted]:bg-hover data-[disabled]:opacity-45';

export interface MenuContentProps {
  readonly place: MenuPlace;
  readonly align: 'start' | 'center' | 'end';
  readonly entries: readonly MenuEntry[];
  /** Where the focus returns to. */
  readonly owner: HTMLElement | null;
  readonly onClose: () => void;
}

/**
 * An open menu at a place. Its own trigger is an unseen box there, so that what it belongs to needs nothing of
 * Radix, which is only loaded when a menu is wanted. Not modal: a modal one would lock scrolling.
 */
export function MenuContent({ place, align, entries, owner, onClose }: MenuContentProps) {
  return (
    <Parts.Root open modal={false} onOpenChange={(open) => !open && onClose()}>
      {/* In the body: within a row that is moved by a transform, "fixed" would mean the row's own corner. */}
      {createPortal(
        <Parts.Trigger asChild>
          <span
            aria-hidden
            tabIndex={-1}
            className="pointer-events-none fixed"
            style={{ left: place.left, top: place.top, width: place.width, height: place.height }}
          />
        </Parts.Trigger>,
        document.body,
      )}
      <Parts.Portal>
        <Parts.Content
          className={CONTENT}
          align={align}
          sideOffset={place.height === 0 ? 0 : 6}
          collisionPadding={8}
          loop
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            // Unless the menu led elsewhere, such as to a dialog or a name being typed over.
            const { activeElement } = document;
            if (activeElement === null || activeElement === document.body)
              owner?.focus({ preventScroll: true });
          }}
          onPointerDownOutside={(event) => {
            // A click on the button closes by itself; closing here too would open it again.
            if (owner instanceof HTMLButtonElement && owner.contains(event.target as Node))
              event.preventDefault();
          }}
        >
          {entries.map((entry, index) => {
            if (entry === 'line') {
              // biome-ignore lint/suspicious/noArrayIndexKey: separators have no other identity
              return <Parts.Separator key={`line-${index}`} className="my-1 h-px bg-line" />;
            }
            const { icon: Icon } = entry;
            return (
              <Parts.Item
                key={entry.label}
                disabled={entry.disabled === true}
                onSelect={entry.onSelect}
                {...(entry.checked === undefined
                  ? {}
                  : { role: 'menuitemradio', 'aria-checked': entry.checked })}
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
              </Parts.Item>
            );
          })}
        </Parts.Content>
      </Parts.Portal>
    </Parts.Root>
  );
}
