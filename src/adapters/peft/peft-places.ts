import { UserError } from '../../base/errors.js';
import type { Adapter } from '../../model/adapter.js';
import type { TorchPlace } from '../../model/torch-place.js';
import type { AdaptableVit } from '../../model/vit/adaptable-vit.js';
import { moduleName, type Spelling } from '../../model/vit/names.js';

/**
 * The places of an adapter's parameters in adapter_model.safetensors, without `base_model.model.` before the keys.
 *
 * @throws UserError for an adapter that PEFT does not have.
 */
export function adapterPlaces(model: AdaptableVit, adapter: Adapter, spelling: Spelling): TorchPlace[] {
  const { peft } = adapter;
  if (!peft || adapter.trains)
    throw new UserError(
      `${adapter.name}: expected an adapter that PEFT has (lora, dora, localized_lora), got one that it has not; ` +
        'use a checkpoint, or merge() it and save the backbone with saveBackbone',
      { adapter: adapter.name },
    );
  const foreign = adapter.targets.find((target) => !['query', 'key', 'value'].includes(target));
  if (model.config.folded_layer_scale && foreign !== undefined)
    throw new UserError(
      `${adapter.name}: expected the targets query, key and value alone on a model with LayerScale, got ${foreign}: LayerScale is part of that map here, and not in PEFT; merge() it and save the backbone with saveBackbone`,
      { target: foreign },
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
