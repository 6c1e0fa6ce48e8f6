import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UserError } from './errors.js';
import { installedVersion, packageVersion } from './package.js';

/**
 * The path of an addon in the platform package of this system, such as `@millrace/onednn-linux-x64`; undefined where that
 * is not installed. `npm run pack:native` makes the package.
 *
 * @throws UserError for a package of another version.
 */
export function prebuilt(file: string): string | undefined {
  const name = `@millrace/onednn-${process.platform}-${process.arch}`;
  const version = installedVersion(name);
  if (version === undefined) return undefined;
  if (version !== packageVersion())
    throw new UserError(
      `${name}: expected version ${packageVersion()}, that of millrace, got ${version}; npm install ${name}@${packageVersion()}, or uninstall it`,
      { version },
    );
  const path = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), file);
  return existsSync(path) ? path : undefined;
}
