import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, relative } from 'node:path';

/**
 * The path of something in the package's `fixtures/`: relative where it lies below the current folder, so that
 * help texts and event files say the same on every machine.
 *
 * @example
 * fixture('creatures', 'plain', 'images'); // => 'fixtures/creatures/plain/images' in a checkout
 */
export function fixture(...segments: readonly string[]): string {
  const root = dirname(createRequire(import.meta.url).resolve('millrace/package.json'));
  const path = join(root, 'fixtures', ...segments);
  const near = relative(process.cwd(), path);
  return near.startsWith('..') || isAbsolute(near) ? path : near;
}
