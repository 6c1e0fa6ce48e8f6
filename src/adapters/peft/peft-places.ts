import { UserError } from '../../base/errors.js';
import type { Adapter, Site } from '../../model/adapter.js';
import type { AdaptableVit } from '../../model/vit/adaptable-vit.js';
import { siteName } from '../../model/vit/adapter-sites.js';
import { fromTorchLayout, toTorchLayout } from '../../model/vit/layout.js';
import { type ModuleNames, moduleName, parameterName } from '../../model/vit/module-names.js';

/** A tensor of adapter_model.safetensors, without `base_model.model.` and the attribute that holds the ViT before its key. */
export interface PeftPlace {
  /** Our parameter. */
  readonly parameter: string;
  readonly key: string;
  /** The shape there. */
  readonly shape: readonly number[];
  readonly transposed: boolean;
  /** Its map and the last part of the parameter's name, where it is the adapter's own. */
  readonly own?: { readonly site: Site; readonly part: string };
}

/**
 * The places of an adapter's parameters, and of the biases that it trains.
 *
 * @throws UserError for an adapter that PEFT does not have.
 */
export function adapterPlaces(model: AdaptableVit, adapter: Adapter, names: ModuleNames): PeftPlace[] {
  const { peft } = adapter;
  const trainsBias = (peft?.config['bias'] ?? 'none') !== 'none';
  if (!peft || (adapter.trains && !trainsBias))
    throw new UserError(
      `${adapter.name}: expected an adapter that PEFT has (lora, dora, localized_lora, hira, miss, shira), got one that it has not; ` +
        'use a checkpoint, or merge() it and save the backbone with saveBackbone',
      { adapter: adapter.name },
    );
  const scaled = /\.(output|fc2)\.bias$/;
  const foreign =
    adapter.targets.find((target) => target === 'output' || target === 'fc2') ??
    [...model.parameters].find(({ name }) => scaled.test(name) && adapter.trains?.(name))?.name;
  if (model.config.folded_layer_scale && foreign !== undefined)
    throw new UserError(
      `${adapter.name}: expected the targets query, key, value and fc1 (and no --bias all) on a model with LayerScale, got ${foreign}: LayerScale is part of that map here, and not in PEFT; merge() it and save the backbone with saveBackbone`,
      { target: foreign },
    );
  const sites = model.sitesOf(adapter);
  const own = sites.flatMap((site) =>
    adapter.parameters(site).flatMap(({ name, shape }) => {
      const part = name.slice(name.lastIndexOf('.') + 1);
      const place = peft.keys[part];
      if (!place) return [];
      const { key, transposed = false } = place;
      return {
        parameter: name,
        key: `${moduleOf(adapter, site, names)}.${key}`,
        shape: transposed ? shape.toReversed() : shape,
        transposed,
        own: { site, part },
      };
    }),
  );
  return [...own, ...biasPlaces(model, adapter, sites, names)];
}

/** The biases that an adapter trains; PEFT keeps that of an adapted map under `base_layer`. */
function biasPlaces(
  model: AdaptableVit,
  adapter: Adapter,
  sites: readonly Site[],
  names: ModuleNames,
): PeftPlace[] {
  const adapted = new Set(sites.map(siteName));
  return [...model.parameters]
    .filter(({ name, group, adopted }) => (group === 'backbone' || adopted) && adapter.trains?.(name))
    .map(({ name, value }) => {
      const module = parameterName(name, names);
      if (module === undefined) throw noModule(adapter, name);
      const map = name.replace(/\.bias$/, '');
      const key = adapted.has(map) ? module.replace(/\.bias$/, '.base_layer.bias') : module;
      return { parameter: name, key, shape: value.shape, transposed: false };
    });
}

/** The module that is a map. @throws UserError where transformers has it as a part of another one. */
function moduleOf(adapter: Adapter, site: Site, names: ModuleNames): string {
  const module = moduleName(site, names);
  if (module === undefined) throw noModule(adapter, siteName(site));
  return module;
}

function noModule({ name: adapter }: Adapter, what: string): UserError {
  return new UserError(
    `${adapter}: expected maps that are modules of this version of transformers, got ${what}, which is part of another there; write those of version 5 (transformers: 5), or leave the map out`,
    { adapter, what },
  );
}

/** Numbers in the layout of a place, from ours. */
export function toPlace(
  data: Numbers,
  { shape, transposed }: Pick<PeftPlace, 'shape' | 'transposed'>,
): Numbers {
  return transposed && data instanceof Float32Array ? toTorchLayout(data, shape) : data.slice();
}

/** Numbers in our layout, from that of a place. */
export function fromPlace(
  data: Numbers,
  { shape, transposed }: Pick<PeftPlace, 'shape' | 'transposed'>,
): Numbers {
  return transposed && data instanceof Float32Array ? fromTorchLayout(data, shape) : data.slice();
}

type Numbers = Float32Array | Int32Array;
