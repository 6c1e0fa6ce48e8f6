import { join } from 'node:path';
import { packageFromNpm } from '../peers/from-npm.js';

/**
 * Installs a version of Node from the npm registry into `.node/`, where it is not there already.
 *
 * @returns the folder of its `node` binary
 * @throws the error of npm, for a version or a platform of which the registry has no package.
 */
export async function nodeFromNpm(version: string): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`;
  return join(await packageFromNpm(name, version), name, 'bin');
}
