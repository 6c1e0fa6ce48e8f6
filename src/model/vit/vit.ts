import type { Tensor } from '@tensorflow/tfjs-core';
import { add, broadcastTo, concat, reshape, slice, tensor, tidy, transpose } from '../../base/tfjs-core.js';
import { layerNorm } from '../../engine/ops/layer-norm.js';
import { linears } from '../../engine/ops/linears.js';
import { normal, randomStream } from '../../random/random-stream.js';
import { frozenAs, type Parameters } from '../parameters.js';
import { accountForTensors } from './account-for-tensors.js';
import { backboneShapes } from './backbone-shapes.js';
import { type BlockRange, blocks, type Project } from './blocks.js';
import { checkHeads, type Grid, gridOf, leadingPositions, type VitConfig } from './config.js';
import { fromTorchLayout } from './layout.js';
import { interpolatePositions } from './positions.js';
import { positionsOn } from './positions-on.js';
import type { Pretrained } from './pretrained-of.js';

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
 * Shapes: images [batch, height, width, channels] → [batch, leading + (height/patch)·(width/patch), hidden]: the class token
 * where there is one, then registers where there are any (Darcet et al. 2024, "Vision Transformers Need Registers"),
 * then the patches.
 */
export function embed(config: VitConfig, parameters: Parameters, images: Tensor): Tensor {
  const { hidden_size: hidden, patch_size: patch, num_channels: channels, layer_norm_eps: eps } = config;
  const get = (name: string) => parameters.get(name);
  const [batch, height, width] = images.shape as [number, number, number];
  const [tall, wide] = [height / patch, width / patch];
  return tidy(() => {
    const rows = reshape(images, [batch * tall, patch, wide, patch * channels]);
    const pixels = reshape(transpose(rows, [0, 2, 1, 3]), [batch, tall * wide, patch * patch * channels]);
    const [weight, bias] = ['patch.weight', 'patch.bias'].map((name) => parameters.parameter(name));
    const frozen = frozenAs(weight!, bias!);
    const [patches] = linears([{ x: pixels, weight: weight!.value, bias: bias!.value, frozen }]);
    const hasClass = leadingPositions(config) > 0;
    const first = hasClass ? concat([broadcastTo(get('cls'), [batch, 1, hidden]), patches!], 1) : patches!;
    const grid = { rows: tall, columns: wide };
    const placed = config.rope_theta ? first : add(first, positionsOn(grid, config, get('positions')));
    const tokens = config.num_register_tokens ? withRegisters(placed, get('registers'), tall * wide) : placed;
    return config.pre_norm ? layerNorm(tokens, get('prenorm.weight'), get('prenorm.bias'), eps) : tokens;
  });
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

/** A tensor in the layout of this project: [in, out] for linear maps, [patch·patch·channels, out] for the patch embedding. */
function fromTorch(data: Float32Array, shape: readonly number[]): Tensor {
  return tensor(fromTorchLayout(data, shape), layout(shape));
}

function layout(shape: readonly number[]): number[] {
  if (shape.length === 2) return [shape[1]!, shape[0]!];
  return shape.length === 4 ? [shape[1]! * shape[2]! * shape[3]!, shape[0]!] : [...shape];
}
