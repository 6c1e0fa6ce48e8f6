import { concat, relu } from '../../base/tfjs-core.js';
import { dropout } from '../../engine/ops/dropout.js';
import { upsample } from '../../engine/ops/upsample.js';
import type { Head, HeadOptions } from './head.js';
import { conv1, conv3, norm, parametersOfLayers } from './layers.js';
import { quarters } from './levels.js';

/**
 * Features of four blocks side by side (Segmenting with several layers, as DINOv2's multi-scale protocol does), fused by a
 * 1×1 and a 3×3 convolution on the grid of patches; the logits are enlarged to pixels.
 */
export function multiscaleHead({ classes, dropout: rate = 0 }: HeadOptions): Head {
  const layersOf = (hidden: number) => ({
    fuse: conv1('fuse', 4 * hidden, hidden),
    norm: norm('norm', hidden),
    conv: conv3('conv', hidden, hidden),
    last: norm('last_norm', hidden),
    classify: conv1('classify', hidden, classes),
  });
  return {
    levels: quarters,
    parameters: (hidden) => parametersOfLayers(layersOf(hidden)),
    forward: (grid, pass) => {
      const [batch, , , hidden] = grid.shape as [number, number, number, number];
      const layers = layersOf(hidden);
      let x = layers.fuse.run(concat([...pass.levels], 3), pass);
      x = layers.conv.run(relu(layers.norm.run(x, pass)), pass);
      x = dropout(relu(layers.last.run(x, pass)), rate, pass.random, [batch, 1, 1, hidden]);
      return upsample(layers.classify.run(x, pass), pass.patch);
    },
  };
}
