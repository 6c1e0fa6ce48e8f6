import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/** The package's folder, from the sources and from the build. */
export const packageRoot = dirname(createRequire(import.meta.url).resolve('millrace/package.json'));
