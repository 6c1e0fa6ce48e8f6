import type { RunEvent } from '../events/event.js';

/** A setting of a run as trackers have it. */
export type Hyperparameter = string | number | boolean;

/**
 * The settings of a run under flat names: those of its `config`, parts of objects joined by dots (`model.head`), lists as
 * JSON; then what it runs on. Settings without a value are left out.
 */
export function hyperparametersOf(run: RunEvent): Record<string, Hyperparameter> {
  const { adapter, adapterParameters, headParameters, engine, precision, seed, epochs, batches } = run;
  const about = { adapter, adapterParameters, headParameters, engine, precision, seed, epochs, batches };
  return Object.fromEntries([...Object.entries(run.config).flatMap(flat), ...Object.entries(about)]);
}

function flat([name, value]: [string, unknown]): [string, Hyperparameter][] {
  if (value === undefined || value === null) return [];
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return [[name, value]];
  if (Array.isArray(value)) return [[name, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, part]) => flat([`${name}.${key}`, part]));
}
