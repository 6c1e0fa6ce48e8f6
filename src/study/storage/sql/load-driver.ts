import { UserError } from '../../../base/errors.js';

/**
 * Loads a database driver when the first URL needs it.
 *
 * @throws UserError with the command that installs it.
 */
export async function loadDriver<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new UserError(
      `this storage needs the package "${name}", which cannot be loaded (${(cause as Error).message}); ` +
        `install it with \`npm install ${name}\``,
      { package: name },
      { cause },
    );
  }
}
