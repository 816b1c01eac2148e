/** A short message at the foot of the screen. */
export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'neutral' | 'danger' | 'good';
  readonly action?: { readonly label: string; readonly onSelect: () => void } | undefined;
}

export interface ToastOptions {
  readonly tone?: Toast['tone'];
  /** Such as undo; the toast then stays longer. */
  readonly action?: Toast['action'];
}

const MAX_TOASTS = 3;
const SHOWN_MS = 5_000;
const SHOWN_WITH_ACTION_MS = 10_000;

let toasts: readonly Toast[] = [];
let nextId = 1;
const listeners = new Set<() => void>();
const ends = new Map<number, ReturnType<typeof setTimeout>>();

function publish(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

/** Shows a message for some seconds. Returns its id. */
export function showToast(text: string, options: ToastOptions = {}): number {
  const toast: Toast = { id: nextId++, text, tone: options.tone ?? 'neutral', action: options.action };
  publish([...toasts, toast].slice(-MAX_TOASTS));
  resumeToast(toast);
  return toast.id;
}

export function dismissToast(id: number): void {
  holdToast(id);
  publish(toasts.filter((toast) => toast.id !== id));
}

/** Takes all messages away, such as those that name what is in an account that was left. */
export function dismissAllToasts(): void {
  for (const { id } of toasts) dismissToast(id);
}

/** Keeps a toast while somebody points at it. */
export function holdToast(id: number): void {
  clearTimeout(ends.get(id));
  ends.delete(id);
}

export function resumeToast(toast: Toast): void {
  holdToast(toast.id);
  const shownMs = toast.action === undefined ? SHOWN_MS : SHOWN_WITH_ACTION_MS;
  ends.set(
    toast.id,
    setTimeout(() => dismissToast(toast.id), shownMs),
  );
}

export const toastStore = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  read: (): readonly Toast[] => toasts,
};
