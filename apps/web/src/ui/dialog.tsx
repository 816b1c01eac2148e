import { X } from 'lucide-react';
import { Dialog as RadixDialog } from 'radix-ui';
import type { ReactNode } from 'react';
import { t } from '../strings/t.ts';
import { classNames } from './class-names.ts';
import { IconButton } from './icon-button.tsx';
import { useReturnFocus } from './use-return-focus.ts';

export interface DialogProps {
  readonly open?: boolean;
  readonly onClose: () => void;
  readonly title: ReactNode;
  readonly description?: ReactNode;
  readonly children?: ReactNode;
  /** Buttons at the bottom, the main one last. */
  readonly actions?: ReactNode;
  readonly size?: 'small' | 'medium' | 'large';
}

const SIZES = { small: 'sm:max-w-md', medium: 'sm:max-w-xl', large: 'sm:max-w-4xl' } as const;

/**
 * A modal dialog: a card in the middle, a sheet from below on phones. It has its own veil instead of Radix's
 * overlay, which would inject a style sheet that the content security policy refuses.
 */
export function Dialog({
  open = true,
  onClose,
  title,
  description,
  children,
  actions,
  size = 'small',
}: DialogProps) {
  const returnFocus = useReturnFocus();
  return (
    <RadixDialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <RadixDialog.Portal>
        <div aria-hidden className="fixed inset-0 z-40 animate-fade-in bg-veil" />
        <RadixDialog.Content
          {...(description === undefined ? { 'aria-describedby': undefined } : {})}
          onCloseAutoFocus={returnFocus}
          className={classNames(
            'fixed z-50 flex max-h-[92dvh] flex-col bg-raised shadow-raised outline-none',
            'inset-x-0 bottom-0 animate-slide-up rounded-t-2xl pb-[env(safe-area-inset-bottom)]',
            'sm:inset-x-4 sm:top-1/2 sm:bottom-auto sm:mx-auto sm:-translate-y-1/2 sm:animate-fade-in sm:rounded-2xl sm:pb-0',
            'border border-line',
            SIZES[size],
          )}
        >
          <header className="flex items-start gap-3 px-5 pt-4.5 pb-2">
            <div className="min-w-0 flex-1">
              <RadixDialog.Title className="break-words font-semibold text-lg leading-snug">
                {title}
              </RadixDialog.Title>
              {description !== undefined && (
                <RadixDialog.Description className="mt-1 break-words text-quiet">
                  {description}
                </RadixDialog.Description>
              )}
            </div>
            <IconButton
              icon={X}
              small
              noTooltip
              label={t('common.close')}
              onClick={onClose}
              className="-mr-1.5"
            />
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto px-5 py-2">{children}</div>
          {actions !== undefined && (
            <footer className="flex flex-wrap justify-end gap-2 px-5 pt-2 pb-4.5">{actions}</footer>
          )}
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}
