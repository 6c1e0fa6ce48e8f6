/** The value of Optuna's {SCHEMA_VERSION} in a URL. */
export const SCHEMA_VERSION = 12;

/** A URL's scheme, without a driver's name, and what follows it. */
export function partsOf(url: string): { readonly scheme: string; readonly rest: string } {
  const [, scheme = '', rest = ''] = /^([a-z]+)(?:\+\w+)?:\/\/(.*)$/s.exec(url) ?? [];
  return { scheme, rest: rest.replaceAll('{SCHEMA_VERSION}', String(SCHEMA_VERSION)) };
}

/** The file of a URL of SQLite or of the journal; undefined for a server and for memory. */
export function fileOf(url: string): string | undefined {
  const { scheme, rest } = partsOf(url);
  if (scheme === 'journal') return rest;
  if (scheme !== 'sqlite' || !rest.startsWith('/')) return undefined;
  return rest.slice(1).replace(/\?.*$/s, '') || undefined;
}
