import { adapterKind } from '../adapters/adapters.js';
import { UserError } from '../base/errors.js';
import { clone } from '../base/tfjs-core.js';
import { flagName } from '../cli/flag.js';
import type { Tensors } from '../data/batch.js';
import type { Item } from '../data/types.js';
import type { Scores } from '../events/scores.js';
import type { Adapter } from '../model/adapter.js';
import type { AdaptableVit } from '../model/vit/adaptable-vit.js';
import { adapterOf, loraTypeFlag } from './adapter-flags.js';
import { beginRun, type TrainingRunOptions, type TrainingRunSettings } from './training-run.js';

/** The settings of a training recipe that make an adapter: `loraType` and its flags. */
export function settingsOfAdapter(
  adapter: Adapter,
): { readonly loraType: string } & Readonly<Record<string, unknown>> {
  const { flagsOf = usualFlags } = adapterKind(adapter.name);
  const { layers, exclude } = adapter;
  const place = { ...(layers && { layers: [...layers] }), ...(exclude && { exclude: [...exclude] }) };
  const loraType = loraTypeFlag(adapter.name).parse(undefined);
  const settings = { loraType, ...flagsOf(adapter.settings), ...place };
  const again = adapterOf(settings);
  if (JSON.stringify(again.settings) === JSON.stringify(adapter.settings)) return settings;
  throw new UserError(
    `${adapter.name}: expected an adapter that flags can describe, got settings ${JSON.stringify(adapter.settings)}; load it in code with loadPeft`,
    { adapter: adapter.name },
  );
}

/** The command line of the flags that make an adapter. */
export function adapterCommand(adapter: Adapter): string {
  const { loraType: _name, dora: _dora, ...flags } = settingsOfAdapter(adapter);
  const words = Object.entries(flags).flatMap(([key, value]) => {
    if (value === undefined || value === false) return [];
    if (value === true) return [`--${flagName(key)}`];
    return [`--${flagName(key)} ${wordOf(value)}`];
  });
  return [`--adapter ${adapter.name}`, ...words].join(' ');
}

function wordOf(value: unknown): string {
  if (Array.isArray(value)) return value.join();
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([key, one]) => `${key}:${one}`)
    .join();
}

function usualFlags({ dropout: adapterDropout, ...flags }: Adapter['settings']) {
  return { ...flags, adapterDropout };
}

/**
 * Saves a task's model with the adapter and the head of another one that was built alike, as the run's first checkpoint.
 *
 * @returns the checkpoint's path.
 * @throws UserError for weights that are not finite.
 */
export async function saveImported<
  I extends Item,
  In extends Tensors,
  Out extends Tensors,
  Target extends Tensors,
  S extends Scores,
>(
  settings: TrainingRunSettings,
  options: TrainingRunOptions<I, In, Out, Target, S> & { readonly task: { readonly model: AdaptableVit } },
  loaded: AdaptableVit,
): Promise<string> {
  copyTrained(options.task.model, loaded);
  const run = await beginRun(settings, options);
  try {
    const saved = await run.save(0);
    if (saved.type === 'checkpoint') return saved.path;
    throw new UserError(`--adapter-dir: expected weights that are finite numbers; ${saved.message}`);
  } finally {
    run.dispose();
  }
}

function copyTrained(to: AdaptableVit, from: AdaptableVit): void {
  for (const { name, group, adopted, value } of from.parameters)
    if (group !== 'backbone' || adopted) to.parameters.set(name, clone(value));
}
