import { pathToFileURL } from 'node:url';
import { packageRoot } from '../src/base/package.js';

/** The package's folder, from the sources and from the build. */
export const root = pathToFileURL(`${packageRoot}/`);
