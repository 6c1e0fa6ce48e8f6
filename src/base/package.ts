import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';

const require = createRequire(import.meta.url);

const manifest = require.resolve('millrace/package.json');

/** The package's folder, from the sources and from the build. */
export const packageRoot = dirname(manifest);

/** The version of this package. */
export function packageVersion(): string {
  return (require(manifest) as { version: string }).version;
}

/** The version of an installed package; undefined if it is not installed. */
export function installedVersion(name: string): string | undefined {
  try {
    const path = require.resolve(`${name}/package.json`);
    return existsSync(path) ? (require(path) as { version: string }).version : undefined;
  } catch {
    return undefined;
  }
}

/** The versions that a run's results may depend on, for its record. */
export function versions(): Record<string, string> {
  const tfjs = installedVersion('@tensorflow/tfjs-core');
  return { millrace: packageVersion(), node: process.versions.node, ...(tfjs && { tfjs }) };
}
