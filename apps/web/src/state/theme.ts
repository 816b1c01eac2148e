export type Theme = 'system' | 'light' | 'dark';

const KEPT_THEME = 'cairn-theme';
const listeners = new Set<() => void>();

export function readTheme(): Theme {
  const kept = localStorage.getItem(KEPT_THEME);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

/** Shows the theme that was chosen on this browser. */
export function applyTheme(): void {
  const theme = readTheme();
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

export function chooseTheme(theme: Theme): void {
  if (theme === 'system') localStorage.removeItem(KEPT_THEME);
  else localStorage.setItem(KEPT_THEME, theme);
  applyTheme();
  for (const listener of listeners) listener();
}

export const themeStore = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  read: readTheme,
};
