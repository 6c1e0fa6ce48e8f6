import { named } from '../base/named.js';
import type { Adapter } from '../model/adapter.js';
import { bitFit } from './bitfit.js';
import { layerNormTuning } from './layer-norm-tuning.js';
import { type LocalizedLoraOptions, localizedLora } from './localized-lora.js';
import { type LoraOptions, lora } from './lora.js';
import type { PartialTuningOptions } from './partial-tuning.js';
import { type SerialLoraOptions, serialLora } from './serial-lora.js';

/** The settings of an adapter: the flags of a recipe, or `adapter.settings` from a checkpoint. */
export type AdapterSettings = Readonly<Record<string, unknown>>;

/**
 * The adapters by name. An adapter is made from its settings: the options of the function of that name, and what
 * `adapter.settings` holds.
 *
 * @example
 * adapters.make('localized_lora', { blocks: 4, blockRank: 4, alpha: 16 });
 */
export const adapters = named('adapter', {
  lora: (settings: AdapterSettings): Adapter => lora(settings as unknown as LoraOptions),
  dora: (settings: AdapterSettings): Adapter => lora({ ...(settings as unknown as LoraOptions), dora: true }),
  serial_lora: (settings: AdapterSettings): Adapter => serialLora(settings as unknown as SerialLoraOptions),
  localized_lora: (settings: AdapterSettings): Adapter =>
    localizedLora(settings as unknown as LocalizedLoraOptions),
  bitfit: ({ layers }: AdapterSettings): Adapter => bitFit({ layers } as PartialTuningOptions),
  ln_tuning: ({ layers }: AdapterSettings): Adapter => layerNormTuning({ layers } as PartialTuningOptions),
});
