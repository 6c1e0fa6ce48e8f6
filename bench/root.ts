import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The package's folder, from the sources and from the build. */
export const root = pathToFileURL(
  `${dirname(createRequire(import.meta.url).resolve('millrace/package.json'))}/`,
);
