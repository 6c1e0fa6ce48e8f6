import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { adapters } from '../adapters/adapters.js';
import type { Peek } from '../cli/peek.js';
import { locate } from '../files/recorded-paths.js';
import { checkpointStore } from '../train/checkpoint-store.js';
import { readCheckpointInfo } from '../train/read-checkpoint.js';
import { loraTypeFlag } from './adapter-flags.js';
import { dataFlags } from './data-flags.js';
import { presentModules } from './recorded-plugins.js';
import { runNameOf } from './run-name.js';
import { modelFlags, runFlags } from './training-flags.js';

/** What names a run and its folder; adapters are taken by any name, since a plugin may be what registers it. */
const naming = {
  resume: runFlags.resume,
  runName: runFlags.runName,
  outDir: runFlags.outDir,
  randomSeed: dataFlags.randomSeed,
  dataPercentage: dataFlags.dataPercentage,
  fold: dataFlags.fold,
  mode: modelFlags.mode.optional(),
  adapter: z.string().optional(),
  loraType: z.string().optional(),
};

/**
 * The plugins of the run that a training command resumes, by its last checkpoint: files where they lie now. None where
 * nothing is resumed.
 *
 * @param prefix what the recipe's own names of runs begin with
 * @throws UserError for a module that is gone; it names the checkpoint.
 */
export async function resumedPlugins(peek: Peek, prefix = ''): Promise<readonly string[]> {
  const { resume, adapter = 'lora', ...asked } = peek(naming);
  if (!resume) return [];
  const defaultType = adapters.has(adapter) ? loraTypeFlag(adapter).parse(undefined) : adapter;
  const { mode = adapter === 'none' ? 'head' : 'adapters', loraType = defaultType } = asked;
  const last = await checkpointStore(
    join(asked.outDir, runNameOf({ ...asked, mode, loraType }, prefix)),
  ).last();
  if (last === undefined) return [];
  const { config, paths } = await readCheckpointInfo(last);
  const recorded = z.array(z.string()).catch([]).parse(config['plugin']);
  const now = recorded.map((plugin) => locate(plugin, paths, dirname(resolve(last))));
  return presentModules(now, `${last}: expected the run's plugin`);
}
