const KEY = 'millrace-theme';
const SYSTEM = matchMedia('(prefers-color-scheme: dark)');

/** Whether the page is dark: as it was set, or else as the system is. */
export function isDark(): boolean {
  const set = document.documentElement.dataset['theme'];
  return set === undefined ? SYSTEM.matches : set === 'dark';
}

/** Takes the theme that was set last, and tells when it changes. */
export function watchTheme(changed: () => void): void {
  const kept = localStorage.getItem(KEY);
  if (kept) document.documentElement.dataset['theme'] = kept;
  SYSTEM.addEventListener('change', changed);
}

export function toggleTheme(): void {
  const theme = isDark() ? 'light' : 'dark';
  document.documentElement.dataset['theme'] = theme;
  localStorage.setItem(KEY, theme);
}

/** Colours of runs: of at least 3:1 on either background. */
const LIGHT = ['#1864ab', '#c2410c', '#2b7a3d', '#862e9c', '#b02a37', '#0b7285', '#8a6100', '#495057'];
const DARK = ['#74c0fc', '#ffa94d', '#8ce99a', '#e599f7', '#ff8787', '#66d9e8', '#ffd43b', '#ced4da'];

/** The colour of the n-th selected run. */
export function colorAt(n: number): string {
  const colors = isDark() ? DARK : LIGHT;
  return colors[n % colors.length]!;
}
