import type { Tensor } from '@tensorflow/tfjs-core';
import {
  add,
  broadcastTo,
  concat,
  log,
  matMul,
  mul,
  relu,
  reshape,
  sigmoid,
  slice,
  softmax,
} from '../../base/tfjs-core.js';
import { attention } from '../../engine/ops/attention.js';
import { gelu } from '../../engine/ops/gelu.js';
import { upsample } from '../../engine/ops/upsample.js';
import { depthToSpace, fineGrid } from './fine-grid.js';
import type { Head, HeadOptions, HeadPass } from './head.js';
import { conv1, norm, parametersOfLayers } from './layers.js';

/** Queries, each of which says one mask and its class. */
const QUERIES = 16;

/** Blocks through which queries and patches pass together. */
const BLOCKS = 2;

/** Channels of the pixels that masks are compared with. */
const WIDTH = 64;

/** Keeps the logarithm of a probability finite. */
const TINY = 1e-6;

/** What a head of queries says beside its logits. */
export interface Queries {
  /** The mask of each query, as logits at pixels: [batch, height, width, queries]. */
  readonly masks: Tensor;
  /** The class of each query, as logits, the last one of them "none": [batch, queries, classes + 1]. */
  readonly kinds: Tensor;
}

/**
 * Queries and masks in the manner of EoMT (Kerssies et al. 2025, arXiv:2503.19108): learned queries pass through
 * transformer blocks together with the patches; each then says a class c with probability p(c), one of them "none", and
 * by its product with the finer patches a mask m. The logits are log Σ p(c)·m over the queries, the semantic inference
 * of MaskFormer (Cheng et al. 2021, arXiv:2107.06278, § 3.4), so that every loss of pixels and every score applies.
 */
export function maskHead({ classes }: HeadOptions): Head {
  const layersOf = (hidden: number, patch: number) => ({
    blocks: Array.from({ length: BLOCKS }, (_, i) => block(`blocks.${i}`, hidden)),
    last: norm('last_norm', hidden),
    classify: conv1('classify', hidden, classes + 1),
    embed: conv1('embed', hidden, hidden),
    mask: conv1('mask', hidden, WIDTH),
    pixels: conv1('pixels', hidden, fineGrid(patch).factor ** 2 * WIDTH),
    mix: conv1('mix', WIDTH, WIDTH),
  });
  return {
    saysQueries: true,
    parameters: (hidden, { patch }) => [
      { name: 'queries', shape: [1, QUERIES, hidden], init: { bound: 0.02 * Math.sqrt(3) } },
      ...parametersOfLayers(layersOf(hidden, patch)),
    ],
    forward: (grid, pass) => {
      const [batch, rows, columns, hidden] = grid.shape as [number, number, number, number];
      const { factor, stride } = fineGrid(pass.patch);
      const layers = layersOf(hidden, pass.patch);
      const queries = broadcastTo(pass.get('queries'), [batch, QUERIES, hidden]);
      let x: Tensor = concat([queries, reshape(grid, [batch, rows * columns, hidden])], 1);
      for (const layer of layers.blocks) x = layer.run(x, pass);
      x = layers.last.run(x, pass);
      const said = slice(x, [0, 0, 0], [batch, QUERIES, hidden]);
      const patches = reshape(slice(x, [0, QUERIES, 0], [batch, rows * columns, hidden]), grid.shape);
      const pixels = layers.mix.run(gelu(depthToSpace(layers.pixels.run(patches, pass), factor)), pass);
      const masks = layers.mask.run(relu(layers.embed.run(said, pass)), pass);
      const shape = [batch, rows * factor, columns * factor];
      const flat = reshape(pixels, [batch, shape[1]! * shape[2]!, WIDTH]);
      // [batch, cells, queries] at a cell's size, enlarged as logits, not as probabilities.
      const cells = mul(matMul(flat, masks, false, true), 1 / Math.sqrt(WIDTH));
      const queried: Queries = {
        masks: upsample(reshape(cells, [...shape, QUERIES]), stride),
        kinds: layers.classify.run(said, pass),
      };
      pass.extras?.({ ...queried });
      const inside = sigmoid(queried.masks);
      const kinds = slice(softmax(queried.kinds), [0, 0, 0], [batch, QUERIES, classes]);
      const size = [batch, rows * pass.patch, columns * pass.patch] as const;
      const sum = matMul(reshape(inside, [batch, size[1] * size[2], QUERIES]), kinds);
      return reshape(log(add(sum, TINY)), [...size, classes]);
    },
  };
}

/** A pre-norm transformer block on queries and patches, its MLP twice as wide. */
function block(name: string, hidden: number) {
  const wide = Math.max(1, Math.round(hidden / 64));
  const heads = hidden % wide === 0 ? wide : 1;
  const parts = {
    norm1: norm(`${name}.norm1`, hidden),
    query: conv1(`${name}.query`, hidden, hidden),
    key: conv1(`${name}.key`, hidden, hidden),
    value: conv1(`${name}.value`, hidden, hidden),
    output: conv1(`${name}.output`, hidden, hidden),
    norm2: norm(`${name}.norm2`, hidden),
    fc1: conv1(`${name}.fc1`, hidden, 2 * hidden),
    fc2: conv1(`${name}.fc2`, 2 * hidden, hidden),
  };
  return {
    parameters: parametersOfLayers(parts),
    run: (x: Tensor, pass: HeadPass): Tensor => {
      const through = (part: keyof typeof parts, y: Tensor) => parts[part].run(y, pass);
      const h = through('norm1', x);
      const attended = attention(through('query', h), through('key', h), through('value', h), heads);
      const y = add(x, through('output', attended));
      return add(y, through('fc2', gelu(through('fc1', through('norm2', y)))));
    },
  };
}
