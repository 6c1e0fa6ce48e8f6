import { isAbsolute, join, relative } from 'node:path';
import { packageRoot } from './package.js';

/**
 * The path of a file in the package's `fixtures/`: relative if it is below the current folder, so that help texts and
 * event files are the same on every machine.
 *
 * @example
 * fixture('creatures', 'plain', 'images'); // => 'fixtures/creatures/plain/images' in a checkout
 */
export function fixture(...segments: readonly string[]): string {
  const path = join(packageRoot, 'fixtures', ...segments);
  const near = relative(process.cwd(), path);
  return near.startsWith('..') || isAbsolute(near) ? path : near;
}
