import { UserError } from '../base/errors.js';
import { registrations } from '../base/named.js';
import { importModule, moduleAddress } from './import-module.js';

/** The modules that this process has loaded, by address. */
const loaded = new Set<string>();

/**
 * Loads modules whose import registers something: a user's own loss, adapter, head, logger, … Each is loaded once.
 *
 * @param names paths from the working directory, or names of installed packages
 * @param flag what names them, in messages
 * @throws UserError for a module that is missing, throws, or registers nothing.
 * @example
 * // mine.js: import { losses } from 'millrace'; losses.register('mine', () => (logits, masks) => …);
 * await loadPlugins(['./mine.js']);
 * losses.make('mine');
 */
export async function loadPlugins(names: readonly string[], flag = '--plugin'): Promise<void> {
  for (const name of names) {
    const address = moduleAddress(name);
    if (address !== undefined && loaded.has(address)) continue;
    const before = registrations();
    await importModule(`${flag} ${name}`, name);
    if (registrations() === before)
      throw new UserError(
        `${flag} ${name}: expected a module that registers something, such as losses.register('mine', …) of millrace, got one that does not`,
        { path: name },
      );
    loaded.add(address!);
  }
}
