import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { adapters } from '../adapters/adapters.js';
import { UserError } from '../base/errors.js';
import { moduleAddress } from '../cli/import-module.js';
import { loadPlugins } from '../cli/plugins.js';
import { heads } from '../model/heads/heads.js';
import type { ClassifierRecord } from './classifier-record.js';
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
  { adapter, head }: SegmenterRecord | ClassifierRecord,
): Promise<void> {
  const headName = 'name' in head ? head.name : undefined;
  for (const plugin of plugins) {
    if (moduleAddress(plugin) !== undefined) {
      await loadPlugins([plugin], `${checkpoint}: the run's plugin`);
      continue;
    }
    const unknown = [
      ...(adapter && !adapters.has(adapter.name) ? [`adapter ${adapter.name}`] : []),
      ...(headName !== undefined && !heads.has(headName) ? [`head ${headName}`] : []),
    ];
    if (unknown.length === 0) continue;
    throw goneModule(`${checkpoint}: expected the run's plugin ${plugin}, for its ${unknown.join(' and ')}`, {
      path: checkpoint,
      plugin,
    });
  }
}

/**
 * Recorded plugins, each of which is there to be loaded.
 *
 * @throws UserError that begins with `expected` for one that is gone.
 */
export function presentModules(plugins: readonly string[], expected: string): readonly string[] {
  for (const plugin of plugins)
    if (moduleAddress(plugin) === undefined) throw goneModule(`${expected} ${plugin}`, { plugin });
  return plugins;
}

/** Plugins as a study records them: files by their whole path, since it may be continued from another folder. */
export function recordablePlugins(plugins: readonly string[]): string[] {
  return plugins.map((plugin) => (existsSync(plugin) ? resolve(plugin) : plugin));
}

function goneModule(expected: string, data: Readonly<Record<string, unknown>>): UserError {
  return new UserError(`${expected}, got no such module; name its new place with --plugin`, data);
}
