import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Whether tfjs-node, by the name of its package, is installed, and its install script has fetched its binding. */
export function hasBinding(name: string): boolean {
  try {
    const folder = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'lib');
    return readdirSync(folder).some((version) => existsSync(join(folder, version, 'tfjs_binding.node')));
  } catch {
    return false;
  }
}
