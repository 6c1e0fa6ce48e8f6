import type { Tensor } from '@tensorflow/tfjs-core';
import { add, concat, relu } from '../../base/tfjs-core.js';
import { dropout } from '../../engine/ops/dropout.js';
import { upsample } from '../../engine/ops/upsample.js';
import { fineGrid } from './fine-grid.js';
import type { Head, HeadOptions } from './head.js';
import { conv1, conv3, norm, parametersOfLayers } from './layers.js';
import { quarters } from './levels.js';
import { pooledTo } from './pooled.js';
import { pyramid, scales } from './pyramid.js';

/** Channels of every level. */
const WIDTH = 64;

/** Sides of the pooled grids of the pyramid pooling module. */
const BINS = [1, 2, 3, 6] as const;

/**
 * A light UPerNet (Xiao et al. 2018, arXiv:1807.10221), 64 channels wide: pyramid pooling on the deepest features (Zhao et
 * al. 2017, PSPNet), a feature pyramid from there down to the finest level, all levels fused there. Levels are made of a
 * plain ViT as in `pyramid`.
 */
export function upernetHead({ classes, dropout: rate = 0 }: HeadOptions): Head {
  const layersOf = (hidden: number, patch: number) => ({
    pyramid: pyramid(hidden, WIDTH, patch),
    pooled: BINS.map((bin) => conv1(`pool${bin}`, WIDTH, WIDTH / 4)),
    bottleneck: conv3('bottleneck', 2 * WIDTH, WIDTH),
    fuse: conv3('fuse', 4 * WIDTH, WIDTH),
    norm: norm('norm', WIDTH),
    classify: conv1('classify', WIDTH, classes),
  });
  return {
    levels: quarters,
    parameters: (hidden, { patch }) => parametersOfLayers(layersOf(hidden, patch)),
    forward: (grid, pass) => {
      const layers = layersOf(grid.shape[3]!, pass.patch);
      const factors = scales(pass.patch);
      const levels = layers.pyramid.run(pass.levels, pass);
      const deepest = levels[3]!;
      const pools = layers.pooled.map((layer, i) =>
        pooledTo(deepest, BINS[i]!, (x) => relu(layer.run(x, pass))),
      );
      levels[3] = layers.bottleneck.run(concat([deepest, ...pools], 3), pass);
      for (const i of [2, 1, 0])
        levels[i] = add(levels[i]!, enlarged(levels[i + 1]!, factors[i]! / factors[i + 1]!));
      const finest = concat(
        levels.map((level, i) => enlarged(relu(level), factors[0]! / factors[i]!)),
        3,
      );
      const x = relu(layers.norm.run(layers.fuse.run(finest, pass), pass));
      const kept = dropout(x, rate, pass.random, [x.shape[0]!, 1, 1, WIDTH]);
      return upsample(layers.classify.run(kept, pass), fineGrid(pass.patch).stride);
    },
  };
}

function enlarged(x: Tensor, factor: number): Tensor {
  return factor === 1 ? x : upsample(x, factor);
}
