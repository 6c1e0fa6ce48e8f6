import type { Tensor } from '@tensorflow/tfjs-core';
import { mul, tidy } from '../../base/tfjs-core.js';
import { attention } from '../../engine/ops/attention.js';
import { branchNorm } from '../../engine/ops/layer-norm.js';
import { type LinearMap, linears } from '../../engine/ops/linears.js';
import { rotary } from '../../engine/ops/rotary.js';
import { recomputed } from '../../engine/recomputed.js';
import type { Random } from '../../random/random-stream.js';
import type { Parameters } from '../parameters.js';
import { ACTIVATIONS } from './activations.js';
import type { BlockMap } from './adapter-sites.js';
import { copiesOf } from './block-options.js';
import { type Grid, gridOf, type VitConfig } from './config.js';
import { residual } from './drop-path.js';
import { rotations } from './rotations.js';
import { blockOf } from './trunk-blocks.js';

/** One linear map of one block, plain or with an adapter: its result, or the map itself, which then runs with others. */
export type Project = (layer: number, map: BlockMap, x: Tensor) => Tensor | LinearMap;

/** The blocks that `blocks` runs: from the one numbered `from` to the one before `to`, all by default. */
export interface BlockRange {
  readonly from?: number;
  readonly to?: number;
  /** The grid of the pictures, which rotary positions are of. Default: the model's own. */
  readonly grid?: Grid;
  /** The rates of stochastic depth, by block. Default: none. */
  readonly dropPath?: readonly number[];
  /** Draws which pictures skip a branch; given when the model trains. */
  readonly random?: Random | undefined;
  /** Makes the maps of one block anew: blocks then keep nothing for the gradient and are computed once more in it. */
  readonly recompute?: ((random: Random) => Project) | undefined;
  /** Is handed the tokens after each block. */
  readonly seen?: (layer: number, x: Tensor) => void;
}

/** The tokens after some blocks: a pre-norm ViT (Dosovitskiy et al. 2021, eqs. 2–3). Shapes as in `embed`. */
export function blocks(
  config: VitConfig,
  parameters: Parameters,
  project: Project,
  tokens: Tensor,
  { from = 0, to = config.num_hidden_layers, seen, random, recompute, ...range }: BlockRange = {},
): Tensor {
  const one = blockFunction(config, parameters, range);
  let x = tokens;
  // What a block no longer needs is freed before the next one begins.
  for (let layer = from; layer < to; layer++) {
    if (recompute && random) {
      const next = copiesOf(random);
      const run = (y: Tensor) => {
        const own = next();
        return one(layer, y, recompute(own), own);
      };
      x = recomputed(run, x, weightsOf(parameters, layer));
    } else x = one(layer, x, project, random);
    seen?.(layer, x);
  }
  return x;
}

/** The function that is a block: of its number, the tokens, its maps, and what draws the pictures that skip a branch. */
function blockFunction(
  config: VitConfig,
  parameters: Parameters,
  { grid = gridOf(config), dropPath = [] }: Pick<BlockRange, 'grid' | 'dropPath'>,
) {
  const { num_attention_heads: heads, layer_norm_eps: eps } = config;
  const activation = ACTIVATIONS[config.hidden_act];
  const get = (name: string) => parameters.get(name);
  const turn = rotations(config, grid);
  return (layer: number, x: Tensor, project: Project, random: Random | undefined): Tensor => {
    const norm = (name: string, x: Tensor) =>
      branchNorm(x, get(`layers.${layer}.${name}.weight`), get(`layers.${layer}.${name}.bias`), eps);
    const joined = (x: Tensor, branch: Tensor | LinearMap) =>
      residual(x, branch, dropPath[layer] ?? 0, random);
    return tidy(() => {
      const [h, before] = norm('norm1', x);
      const [q, k, v] = linears([
        project(layer, 'query', h),
        project(layer, 'key', h),
        project(layer, 'value', h),
      ]);
      const [turnedQ, turnedK] = turn ? [q!, k!].map((y) => rotary(y, turn.cos, turn.sin)) : [q, k];
      const attended = attention(turnedQ!, turnedK!, v!, heads);
      const y = joined(before, project(layer, 'output', attended));
      const [z, between] = norm('norm2', y);
      const gates = config.use_gated_mlp ? [project(layer, 'gate', z)] : [];
      const [inner, gate] = linears([project(layer, 'fc1', z), ...gates]);
      const active = gate ? mul(activation(gate), inner!) : activation(inner!);
      return joined(between, project(layer, 'fc2', active));
    });
  };
}

/** What trains in a block, and what of an adapter may train in any. */
function weightsOf(parameters: Parameters, layer: number): Tensor[] {
  return parameters
    .trainable()
    .filter(({ name, group }) => (blockOf(name) ?? (group === 'adapter' ? layer : -1)) === layer)
    .map(({ value }) => value);
}
