import type { Parameter } from '../parameters.js';
import { blockOf } from './trunk-blocks.js';

/**
 * Layer-wise learning rate decay (Clark et al. 2020, arXiv:2003.10555; Bao et al. 2022, "BEiT", for ViTs): each parameter's
 * rate as a multiple of its group's, decay^(depth + 1 − layer).
 *
 * The layers are timm's: 0 is the embedding, i + 1 the block i with its adapters, depth + 1 the head, which keeps the whole
 * rate. The last LayerNorm counts to the last block; in BEiT's and MAE's own code it keeps the whole rate.
 *
 * @example
 * new Training({ model, loss: logCoshDice(), optimizer: adamW(), learningRate: 1e-3, rates: layerDecay(12, 0.75), seed: 42 });
 */
export function layerDecay(depth: number, decay: number): (parameter: Parameter) => number {
  return (parameter) => decay ** (depth + 1 - layerOf(parameter, depth));
}

function layerOf({ name, group, adopted }: Parameter, depth: number): number {
  const block = blockOf(name);
  if (block !== undefined) return block + 1;
  if (group !== 'backbone' && !adopted) return depth + 1;
  return name.startsWith('norm.') ? depth : 0;
}
