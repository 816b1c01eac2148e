import { X } from 'lucide-react';
import { useSyncExternalStore } from 'react';
import { t } from '../strings/t.ts';
import { classNames } from './class-names.ts';
import { IconButton } from './icon-button.tsx';
import { dismissToast, holdToast, resumeToast, toastStore } from './toast-store.ts';

/** Where toasts appear; mounted once. */
export function Toasts() {
  const toasts = useSyncExternalStore(toastStore.subscribe, toastStore.read);
  return (
    <section
      aria-live="polite"
      aria-label={t('common.messages')}
      className="pointer-events-none fixed inset-x-0 bottom-18 z-60 flex flex-col items-center gap-2 px-4 md:bottom-5"
    >
      {toasts.map((toast) => (
        <div
          key={toast.id}
          onPointerEnter={() => holdToast(toast.id)}
          onPointerLeave={() => resumeToast(toast)}
          className={classNames(
            'pointer-events-auto flex max-w-full animate-slide-up items-center gap-2 rounded-xl py-1.5 pr-1.5 pl-4 shadow-raised sm:max-w-lg',
            toast.tone === 'danger' ? 'bg-danger text-danger-ink' : 'bg-ink text-ground',
          )}
        >
          <span className="line-clamp-3 min-w-0 break-words py-1">{toast.text}</span>
          {toast.action !== undefined && (
            <button
              type="button"
              className="shrink-0 rounded-lg px-3 py-1.5 font-semibold underline-offset-2 hover:underline"
              onClick={() => {
                toast.action?.onSelect();
                dismissToast(toast.id);
              }}
            >
              {toast.action.label}
            </button>
          )}
          <IconButton
            icon={X}
            small
            noTooltip
            label={t('common.close')}
            className="text-inherit opacity-70 hover:bg-transparent hover:text-inherit hover:opacity-100"
            onClick={() => dismissToast(toast.id)}
          />
        </div>
      ))}
    </section>
  );
}
