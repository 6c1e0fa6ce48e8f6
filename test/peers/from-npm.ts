import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/base/package.js';

const run = promisify(execFile);

/**
 * Installs a package of this version into `.node/`, where it is not there already, without running its scripts; where
 * it cannot be had, the test or suite is skipped and the reason printed.
 *
 * @returns the `node_modules` that it lies in
 * @example
 * before(async function () {
 *   modules = await needsPackage(this, 'tslab', '1.0.22');
 * });
 */
export async function needsPackage(test: Mocha.Context, name: string, version: string): Promise<string> {
  try {
    return await packageFromNpm(name, version);
  } catch (error) {
    console.log(`    skipped: no ${name}@${version} from npm: ${(error as Error).message.split('\n')[0]}`);
    return test.skip();
  }
}

/** `needsPackage` outside of tests. @throws the error of npm. */
export async function packageFromNpm(name: string, version: string): Promise<string> {
  const folder = join(packageRoot, '.node', `${name.replaceAll('/', '-')}@${version}`);
  const modules = join(folder, 'node_modules');
  if (existsSync(join(modules, name))) return modules;
  const partial = `${folder}.${process.pid}.partial`;
  await mkdir(partial, { recursive: true });
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts'];
  await run('npm', ['install', '--prefix', partial, ...flags, `${name}@${version}`]);
  await rm(folder, { recursive: true, force: true });
  await rename(partial, folder);
  return modules;
}
