import type { Tensor } from '@tensorflow/tfjs-core';
import { add, relu } from '../../base/tfjs-core.js';
import { dropout } from '../../engine/ops/dropout.js';
import { upsample } from '../../engine/ops/upsample.js';
import { fineGrid } from './fine-grid.js';
import type { Head, HeadOptions } from './head.js';
import { conv1, conv3, norm, parametersOfLayers, residual } from './layers.js';
import { quarters } from './levels.js';
import { pyramid, scales } from './pyramid.js';

/** Channels of every level. */
const WIDTH = 64;

/**
 * The dense prediction transformer's decoder (Ranftl et al. 2021, arXiv:2103.13413): features of four blocks are
 * reassembled at four scales and fused from the deepest block to the first, which is the finest, with residual
 * convolutions. The deepest stays on the grid of patches, where DPT halves it, since a grid may have odd sides.
 */
export function dptHead({ classes, dropout: rate = 0 }: HeadOptions): Head {
  const layersOf = (hidden: number, patch: number) => ({
    pyramid: pyramid(hidden, WIDTH, patch),
    refine: scales(patch).map((_, i) => residual(`refine${i}`, WIDTH)),
    fuse: scales(patch).map((_, i) => residual(`fuse${i}`, WIDTH)),
    conv: conv3('conv', WIDTH, WIDTH),
    norm: norm('norm', WIDTH),
    classify: conv1('classify', WIDTH, classes),
  });
  return {
    levels: quarters,
    parameters: (hidden, { patch }) => parametersOfLayers(layersOf(hidden, patch)),
    forward: (grid, pass) => {
      const { patch, random } = pass;
      const layers = layersOf(grid.shape[3]!, patch);
      const levels = layers.pyramid.run(pass.levels, pass);
      const factors = scales(patch);
      const fused = levels.reduceRight<Tensor | undefined>((deeper, level, i) => {
        const refined = layers.refine[i]!.run(level, pass);
        const step = deeper ? factors[i]! / factors[i + 1]! : 1;
        const sum = deeper ? add(refined, step === 1 ? deeper : upsample(deeper, step)) : refined;
        return layers.fuse[i]!.run(sum, pass);
      }, undefined)!;
      const x = relu(layers.norm.run(layers.conv.run(fused, pass), pass));
      const kept = dropout(x, rate, random, [x.shape[0]!, 1, 1, WIDTH]);
      return upsample(layers.classify.run(kept, pass), fineGrid(patch).stride);
    },
  };
}
