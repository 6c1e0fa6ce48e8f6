import { type Adapter, checkOptions } from '../model/adapter.js';
import { type AdapterEntry, defineAdapter, placeFlags } from './adapter-kind.js';

/** Options of `bitFit` and `layerNormTuning`. */
export interface PartialTuningOptions {
  /** Which blocks, from 0. Default: all, and what lies before and after them. */
  readonly layers?: readonly number[];
}

/** An adapter without parameters of its own: it trains those parameters of the backbone whose names match. */
export function partialTuning(
  name: string,
  { layers }: PartialTuningOptions,
  fits: (parameter: string) => boolean,
): Adapter {
  checkOptions({ layers });
  const blocks = layers && new Set(layers.map((layer) => `layers.${layer}`));
  return {
    name,
    settings: {},
    targets: [],
    ...(layers && { layers }),
    trains: (parameter) =>
      fits(parameter) && (!blocks || blocks.has(parameter.split('.').slice(0, 2).join('.'))),
    parameters: () => [],
    apply: (_site, x, base) => ({ x, ...base }),
    merged: (_site, weight) => weight,
  };
}

/** Such an adapter in the catalogue: it has no size and no scale. */
export function partialTuningEntry(
  name: string,
  description: string,
  make: (options: PartialTuningOptions) => Adapter,
): AdapterEntry {
  return defineAdapter(({ layers }) => make({ layers } as PartialTuningOptions), {
    description,
    flags: { layers: placeFlags.layers },
    ignores: `${name} only chooses which parameters of the backbone train`,
  });
}
