import { named } from '../base/named.js';
import type { Adapter } from '../model/adapter.js';
import { type LocalizedLoraOptions, localizedLora } from './localized-lora.js';
import { type LoraOptions, lora } from './lora.js';
import { type SerialLoraOptions, serialLora } from './serial-lora.js';

/** The adapters by the names that they give themselves. */
const ADAPTERS = {
  lora: (settings: unknown) => lora(settings as LoraOptions),
  dora: (settings: unknown) => lora({ ...(settings as LoraOptions), dora: true }),
  serial_lora: (settings: unknown) => serialLora(settings as SerialLoraOptions),
  localized_lora: (settings: unknown) => localizedLora(settings as LocalizedLoraOptions),
} as const satisfies Record<string, (settings: unknown) => Adapter>;

export type AdapterName = keyof typeof ADAPTERS;

export const ADAPTER_NAMES = Object.keys(ADAPTERS) as [AdapterName, ...AdapterName[]];

/**
 * An adapter by its name and its settings: the options of the function of that name, and what `adapter.settings` holds.
 *
 * @throws UserError that names the nearest adapter, and for settings that the adapter refuses.
 * @example
 * adapterNamed('localized_lora', { blocks: 4, blockRank: 4, alpha: 16 });
 */
export function adapterNamed(name: string, settings: Readonly<Record<string, unknown>>): Adapter {
  return named('adapter', ADAPTERS, name)(settings);
}
