import { UserError } from '../../base/errors.js';
import type { Adapter } from '../../model/adapter.js';
import { moduleName, type Spelling } from '../../model/vit/names.js';
import type { Segmenter } from '../../tasks/segmentation/segmenter.js';

/** Where PyTorch keeps one of our parameters. */
export interface Place {
  readonly parameter: string;
  readonly key: string;
  /** PyTorch's; our layout is another for matrices (see `fromTorchLayout`). */
  readonly shape: readonly number[];
}

/**
 * The places of an adapter's parameters in adapter_model.safetensors, without `base_model.model.` before the keys.
 *
 * @throws UserError for an adapter that PEFT does not have.
 */
export function adapterPlaces(model: Segmenter, adapter: Adapter, spelling: Spelling): Place[] {
  const { peft } = adapter;
  if (!peft)
    throw new UserError(
      `${adapter.name}: expected an adapter that PEFT has (lora, dora, localized_lora), got one that it has not; ` +
        'use a checkpoint, or merge() it and save the backbone with saveBackbone',
      { adapter: adapter.name },
    );
  return model.sitesOf(adapter).flatMap((site) =>
    adapter.parameters(site).map(({ name, shape }) => {
      const key = peft.keys[name.slice(name.lastIndexOf('.') + 1)]!;
      return {
        parameter: name,
        key: `${moduleName(site.layer, site.target, spelling)}.${key}`,
        shape: key.endsWith('.weight') ? shape.toReversed() : shape,
      };
    }),
  );
}

/** The places of the head's parameters: a PyTorch module with `conv`, `norm` (where there is one) and `classify`. */
export function headPlaces({ config, head, parameters }: Segmenter): Place[] {
  const hidden = config.hidden_size;
  const middle = Math.floor(hidden / 2);
  const kernels: Record<string, readonly number[]> = {
    'conv.weight': [middle, hidden, 3, 3],
    'classify.weight': [head.classes, middle, 1, 1],
  };
  const renamed: Record<string, string> = {
    'norm.mean': 'norm.running_mean',
    'norm.variance': 'norm.running_var',
  };
  return [...parameters]
    .filter(({ group }) => group === 'head')
    .map(({ name, value }) => {
      const own = name.replace(/^head\./, '');
      return { parameter: name, key: renamed[own] ?? own, shape: kernels[own] ?? value.shape };
    });
}
