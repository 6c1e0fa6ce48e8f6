import { named } from '../base/named.js';
import type { AdapterEntry, AdapterKind } from './adapter-kind.js';
import { bitFitEntry } from './bitfit.js';
import { hiraEntry } from './hira.js';
import { layerNormTuningEntry } from './layer-norm-tuning.js';
import { localizedLoraEntry } from './localized-lora.js';
import { doraEntry, loraEntry, rsLoraEntry } from './lora.js';
import { missEntry } from './miss.js';
import { serialLoraEntry } from './serial-lora.js';
import { shiraEntry } from './shira.js';
import { undeclared } from './undeclared.js';

/**
 * The adapters by name. An adapter is made from its settings: the options of the function of that name, and
 * what `adapter.settings` holds. An entry is a function, or one with flags and a search space of its own:
 * `defineAdapter`.
 *
 * @example
 * adapters.make('localized_lora', { blocks: 4, blockRank: 4, alpha: 16 });
 */
export const adapters = named('adapter', {
  lora: loraEntry,
  dora: doraEntry,
  rslora: rsLoraEntry,
  serial_lora: serialLoraEntry,
  localized_lora: localizedLoraEntry,
  hira: hiraEntry,
  miss: missEntry,
  shira: shiraEntry,
  bitfit: bitFitEntry,
  ln_tuning: layerNormTuningEntry,
});

/**
 * What an adapter of the catalogue declares, the usual flags where it is a function alone.
 *
 * @throws UserError for a name that is not in the catalogue.
 */
export function adapterKind(name: string): AdapterKind {
  const entry: AdapterEntry = adapters.get(name);
  return entry.flags ? { description: `with ${name}`, ...entry, flags: entry.flags } : undeclared(name);
}
