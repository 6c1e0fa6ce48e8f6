import type { Tensor } from '@tensorflow/tfjs-core';
import {
  add,
  broadcastTo,
  concat,
  mul,
  reshape,
  slice,
  tensor,
  tidy,
  transpose,
} from '../../base/tfjs-core.js';
import { attention } from '../../engine/ops/attention.js';
import { branchNorm, layerNorm } from '../../engine/ops/layer-norm.js';
import { linear } from '../../engine/ops/linear.js';
import { type LinearMap, linears } from '../../engine/ops/linears.js';
import { rotary } from '../../engine/ops/rotary.js';
import { normal, randomStream } from '../../random/random-stream.js';
import type { Parameters } from '../parameters.js';
import { accountForTensors } from './account-for-tensors.js';
import { ACTIVATIONS } from './activations.js';
import type { BlockMap } from './adapter-sites.js';
import { backboneShapes } from './backbone-shapes.js';
import { checkHeads, type Grid, gridOf, leadingPositions, type VitConfig } from './config.js';
import { residual } from './drop-path.js';
import { fromTorchLayout } from './layout.js';
import { interpolatePositions } from './positions.js';
import { positionsOn } from './positions-on.js';
import type { Pretrained } from './pretrained-of.js';
import { rotations } from './rotations.js';

/** One linear map of one block, plain or with an adapter: its result, or the map itself, which then runs with others. */
export type Project = (layer: number, map: BlockMap, x: Tensor) => Tensor | LinearMap;

/** The tokens of images after the last LayerNorm: the input of heads. Shapes as in `embed`. */
export function encode(config: VitConfig, parameters: Parameters, project: Project, images: Tensor): Tensor {
  const { patch_size: patch } = config;
  const grid = { rows: images.shape[1]! / patch, columns: images.shape[2]! / patch };
  const x = blocks(config, parameters, project, embed(config, parameters, images), { grid });
  return lastNorm(config, parameters, x);
}

/** The last LayerNorm, on the tokens after the last block, or after another: DINOv2 hands out its layers so, too. */
export function lastNorm(config: VitConfig, parameters: Parameters, x: Tensor): Tensor {
  return layerNorm(x, parameters.get('norm.weight'), parameters.get('norm.bias'), config.layer_norm_eps);
}

/**
 * The tokens of images before the first block (Dosovitskiy et al. 2021, eq. 1).
 *
 * Shapes: images [batch, height, width, 3] → [batch, leading + (height/patch)·(width/patch), hidden]: the class token
 * where there is one, then registers where there are any (Darcet et al. 2024, "Vision Transformers Need Registers"),
 * then the patches.
 */
export function embed(config: VitConfig, parameters: Parameters, images: Tensor): Tensor {
  const { hidden_size: hidden, patch_size: patch, layer_norm_eps: eps } = config;
  const get = (name: string) => parameters.get(name);
  const [batch, height, width] = images.shape as [number, number, number];
  const [tall, wide] = [height / patch, width / patch];
  return tidy(() => {
    const rows = reshape(images, [batch * tall, patch, wide, patch * 3]);
    const pixels = reshape(transpose(rows, [0, 2, 1, 3]), [batch, tall * wide, patch * patch * 3]);
    const patches = linear(pixels, get('patch.weight'), get('patch.bias'));
    const hasClass = leadingPositions(config) > 0;
    const first = hasClass ? concat([broadcastTo(get('cls'), [batch, 1, hidden]), patches], 1) : patches;
    const grid = { rows: tall, columns: wide };
    const placed = config.rope_theta ? first : add(first, positionsOn(grid, config, get('positions')));
    const tokens = config.num_register_tokens ? withRegisters(placed, get('registers'), tall * wide) : placed;
    return config.pre_norm ? layerNorm(tokens, get('prenorm.weight'), get('prenorm.bias'), eps) : tokens;
  });
}

/** The blocks that `blocks` runs: from the one numbered `from` to the one before `to`, all by default. */
export interface BlockRange {
  readonly from?: number;
  readonly to?: number;
  /** The grid of the pictures, which rotary positions are of. Default: the model's own. */
  readonly grid?: Grid;
  /** The rates of stochastic depth, by block. Default: none. */
  readonly dropPath?: readonly number[];
  /** Draws which pictures skip a branch; given when the model trains. */
  readonly random?: (() => number) | undefined;
  /** Is handed the tokens after each block. */
  readonly seen?: (layer: number, x: Tensor) => void;
}

/** The tokens after some blocks: a pre-norm ViT (Dosovitskiy et al. 2021, eqs. 2–3). Shapes as in `embed`. */
export function blocks(
  config: VitConfig,
  parameters: Parameters,
  project: Project,
  tokens: Tensor,
  {
    from = 0,
    to = config.num_hidden_layers,
    grid = gridOf(config),
    seen,
    dropPath = [],
    random,
  }: BlockRange = {},
): Tensor {
  const { num_attention_heads: heads, layer_norm_eps: eps } = config;
  const activation = ACTIVATIONS[config.hidden_act];
  const get = (name: string) => parameters.get(name);
  const turn = rotations(config, grid);
  let x = tokens;
  // What a block no longer needs is freed before the next one begins.
  for (let layer = from; layer < to; layer++) {
    const norm = (name: string, x: Tensor) =>
      branchNorm(x, get(`layers.${layer}.${name}.weight`), get(`layers.${layer}.${name}.bias`), eps);
    const joined = (x: Tensor, branch: Tensor | LinearMap) =>
      residual(x, branch, dropPath[layer] ?? 0, random);
    x = tidy(() => {
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
    seen?.(layer, x);
  }
  return x;
}

/** The tokens after each of these blocks, from the one before `from` on, through the last LayerNorm. */
export function levelsOf(
  config: VitConfig,
  parameters: Parameters,
  project: Project,
  tokens: Tensor,
  layers: readonly number[],
  { from = 0, ...range }: BlockRange,
): Tensor[] {
  const levels = new Map<number, Tensor>();
  const seen = (layer: number, x: Tensor) => {
    if (layers.includes(layer)) levels.set(layer, lastNorm(config, parameters, x));
  };
  seen(from - 1, tokens);
  blocks(config, parameters, project, tokens, { ...range, from, seen });
  return layers.map((layer) => levels.get(layer)!);
}

/** Puts constant tokens before the patches, after the class token. */
function withRegisters(tokens: Tensor, registers: Tensor, patches: number): Tensor {
  const [batch, count, hidden] = tokens.shape as [number, number, number];
  const leading = count - patches;
  return concat(
    [
      slice(tokens, [0, 0, 0], [batch, leading, hidden]),
      broadcastTo(registers, [batch, registers.shape[1]!, hidden]),
      slice(tokens, [0, leading, 0], [batch, patches, hidden]),
    ],
    1,
  );
}

/**
 * The grid of patches: [batch, tokens, hidden] → [batch, rows, columns, hidden], without the class token and what else
 * is before them.
 */
export function patchGrid(tokens: Tensor, { rows, columns }: Grid): Tensor {
  const [batch, count, hidden] = tokens.shape as [number, number, number];
  const patches = rows * columns;
  return reshape(slice(tokens, [0, count - patches, 0], [batch, patches, hidden]), [
    batch,
    rows,
    columns,
    hidden,
  ]);
}

/**
 * Adds a pretrained backbone's tensors to the parameters, frozen; for another grid of patches the position embeddings
 * are interpolated.
 *
 * @throws UserError naming the file and the tensor that is missing or has another shape.
 */
export function addPretrained(parameters: Parameters, { path, config, weights }: Pretrained, to: Grid): void {
  accountForTensors(path, config, weights);
  for (const [name, shape] of backboneShapes(config)) {
    let data = Float32Array.from(weights.get(name)!.data);
    let own = shape;
    if (name === 'positions') {
      data = Float32Array.from(interpolatePositions(data, config.hidden_size, gridOf(config), to));
      own = [1, data.length / config.hidden_size, config.hidden_size];
    }
    parameters.add({ name, group: 'backbone', trainable: false, value: fromTorch(data, own) });
  }
}

/**
 * Adds a new backbone to the parameters: normal with σ = .02 cut at 2σ, as Dosovitskiy et al.; zero biases.
 */
export function addRandomBackbone(parameters: Parameters, config: VitConfig, seed: number): void {
  checkHeads(config);
  for (const [name, shape] of backboneShapes(config)) {
    const size = shape.reduce((a, b) => a * b, 1);
    const random = randomStream(seed, 'backbone', name);
    const isGain = /norm\d?\.weight$/.test(name);
    const data = Float32Array.from({ length: size }, () =>
      isGain ? 1 : name.endsWith('.bias') ? 0 : 0.02 * Math.max(-2, Math.min(2, normal(random))),
    );
    parameters.add({ name, group: 'backbone', trainable: true, value: fromTorch(data, shape) });
  }
}

/** A tensor in the layout of this project: [in, out] for linear maps, [patch·patch·3, out] for the patch embedding. */
function fromTorch(data: Float32Array, shape: readonly number[]): Tensor {
  return tensor(fromTorchLayout(data, shape), layout(shape));
}

function layout(shape: readonly number[]): number[] {
  if (shape.length === 2) return [shape[1]!, shape[0]!];
  return shape.length === 4 ? [shape[1]! * shape[2]! * shape[3]!, shape[0]!] : [...shape];
}
