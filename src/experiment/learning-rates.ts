import { UserError } from '../base/errors.js';
import type { Parameter, ParameterGroup } from '../model/parameters.js';
import { AdaptableVit } from '../model/vit/adaptable-vit.js';
import { layerDecay } from '../model/vit/layer-decay.js';

/** The base rates of a run's settings: one for all, or with `separateLr` one for the ViT and one for the head. */
export function learningRates(settings: {
  readonly lr: number;
  readonly separateLr: boolean;
  readonly lrVitBackbone: number;
  readonly lrSegHead: number;
}): number | Readonly<Record<ParameterGroup, number>> {
  const { lr, separateLr, lrVitBackbone, lrSegHead } = settings;
  return separateLr ? { adapter: lrVitBackbone, backbone: lrVitBackbone, head: lrSegHead } : lr;
}

/** The rates by layer of a run's settings; undefined where all layers have one. @throws UserError for a model that is no ViT. */
export function layerRates(
  { layerDecay: decay = 1 }: { readonly layerDecay?: number | undefined },
  model: unknown,
): ((parameter: Parameter) => number) | undefined {
  if (decay === 1) return undefined;
  if (model instanceof AdaptableVit) return layerDecay(model.config.num_hidden_layers, decay);
  throw new UserError(`--layer-decay ${decay}: expected a ViT, whose blocks are counted, got another model`);
}
