import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../recipes/run.js';

/** Sharp's binaries for this machine, which are optional dependencies of it and would be left out. */
export function sharpBinaries(): Record<string, string> {
  const manifest = readFileSync(join(root, 'node_modules', 'sharp', 'package.json'), 'utf8');
  const { optionalDependencies } = JSON.parse(manifest) as {
    readonly optionalDependencies: Readonly<Record<string, string>>;
  };
  const machine = `-${process.platform}-${process.arch}`;
  return Object.fromEntries(Object.entries(optionalDependencies).filter(([name]) => name.endsWith(machine)));
}
