/** The value of Optuna's {SCHEMA_VERSION} in a URL. */
export const SCHEMA_VERSION = 12;

/** A URL's scheme, without a driver's name, and what follows it. */
export function partsOf(url: string): { readonly scheme: string; readonly rest: string } {
  const [, scheme = '', rest = ''] = /^([a-z]+)(?:\+\w+)?:\/\/(.*)$/s.exec(url) ?? [];
  return { scheme, rest: rest.replaceAll('{SCHEMA_VERSION}', String(SCHEMA_VERSION)) };
}
