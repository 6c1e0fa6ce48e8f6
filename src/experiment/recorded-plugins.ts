import { adapters } from '../adapters/adapters.js';
import { UserError } from '../base/errors.js';
import { moduleAddress } from '../cli/import-module.js';
import { loadPlugins } from '../cli/plugins.js';
import type { SegmenterRecord } from './segmenter-record.js';

/**
 * Loads the user's own modules that a checkpoint's run was trained with. One that is gone is no error where what the model
 * is made of is known all the same, by `--plugin` of its new place.
 *
 * @throws UserError for a module that is missing, throws, or registers nothing; it names the checkpoint.
 */
export async function loadRecordedPlugins(
  checkpoint: string,
  plugins: readonly string[],
  { adapter }: SegmenterRecord,
): Promise<void> {
  for (const plugin of plugins) {
    if (moduleAddress(plugin) !== undefined) {
      await loadPlugins([plugin], `${checkpoint}: the run's plugin`);
      continue;
    }
    if (!adapter || adapters.has(adapter.name)) continue;
    throw new UserError(
      `${checkpoint}: expected the run's plugin ${plugin}, which its adapter ${adapter.name} may be of, got no such module; name its new place with --plugin`,
      { path: checkpoint, plugin },
    );
  }
}
