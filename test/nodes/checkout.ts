import { execFile } from 'node:child_process';
import { cp, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/base/package.js';

const run = promisify(execFile);

/** Copies the files of this checkout that git knows or would add, as a clone of them would be. */
export async function checkout(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-checkout-'));
  const { stdout } = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: packageRoot,
    maxBuffer: 2 ** 26,
  });
  for (const file of stdout.split('\0').filter(Boolean))
    await cp(join(packageRoot, file), join(dir, file)).catch((error: NodeJS.ErrnoException) => {
      // A file that was deleted and not yet committed.
      if (error.code !== 'ENOENT') throw error;
    });
  return dir;
}
