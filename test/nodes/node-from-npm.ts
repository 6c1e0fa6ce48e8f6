import { execFile } from 'node:child_process';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/base/package.js';

const run = promisify(execFile);

/**
 * Installs a version of Node from the npm registry into `.node/<version>`, where it is not there already.
 *
 * @returns the folder of its `node` binary
 * @throws the error of npm, for a version or a platform of which the registry has no package.
 */
export async function nodeFromNpm(version: string): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(packageRoot, '.node', version);
  const bin = join(folder, 'node_modules', name, 'bin');
  if (
    await access(bin).then(
      () => true,
      () => false,
    )
  )
    return bin;
  const partial = `${folder}.${process.pid}`;
  await mkdir(partial, { recursive: true });
  const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
  await run('npm', ['install', '--prefix', partial, ...flags, `${name}@${version}`]);
  await rm(folder, { recursive: true, force: true });
  await rename(partial, folder);
  return bin;
}
