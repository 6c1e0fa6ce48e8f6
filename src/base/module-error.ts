import { fileURLToPath } from 'node:url';
import { UserError } from './errors.js';
import { packageRoot } from './package.js';

/**
 * The error of a user's own module as one line, followed by the places in the user's files that its stack names:
 * `data.stack`.
 */
export function moduleError(flag: string, what: string, error: unknown, hint = ''): UserError {
  const text = error instanceof Error ? `${error.name}: ${error.message.split('\n')[0]}` : String(error);
  const stack = error instanceof Error ? own(error.stack ?? '') : '';
  return new UserError(`${flag}: ${what} ${text}${hint}`, { ...(stack && { stack }) }, { cause: error });
}

/** The lines of a stack that are neither in Node nor in this package nor in other packages. */
function own(stack: string): string {
  const ours = ['src', 'operators', 'recipes', 'dist'].map((dir) => `${packageRoot}/${dir}/`);
  const lines = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return lines
    .filter((line) => !/node:|[\\/]node_modules[\\/]/.test(line))
    .filter((line) => !ours.some((dir) => line.replace(/file:\/\/[^\s)]+/, plain).includes(dir)))
    .join('\n');
}

function plain(url: string): string {
  try {
    const [, path = url, place = ''] = /^(.*?)((?::\d+)*)$/.exec(url) ?? [];
    return fileURLToPath(path) + place;
  } catch {
    return url;
  }
}
