import type { Tensor } from '@tensorflow/tfjs-core';
import { add, concat, relu } from '../../base/tfjs-core.js';
import { dropout } from '../../engine/ops/dropout.js';
import { upsample } from '../../engine/ops/upsample.js';
import { depthToSpace, type FineGrid, fineGrid, spaceToDepth } from './fine-grid.js';
import type { Head, HeadOptions } from './head.js';
import { conv1, type Layer, norm, parametersOfLayers, residual } from './layers.js';
import { quarters } from './levels.js';

/** Channels on the grid of patches, and on the fine one. */
const [COARSE, FINE] = [128, 64];

/**
 * Tokens that say what is there, and a small convolutional stem that sees where it ends: features of four blocks are
 * fused on the grid of patches, enlarged to a quarter of the picture's size, and added to a stem over the picture itself
 * (the detail capture of ViTMatte, Yao et al. 2024, arXiv:2305.15272); residual convolutions follow. Each cell then
 * says the logits of all of its pixels (Shi et al. 2016, arXiv:1609.05158), so that borders are not interpolated.
 */
export function detailHead({ classes, dropout: rate = 0 }: HeadOptions): Head {
  const layersOf = (hidden: number, channels: number, { stride }: Pick<FineGrid, 'stride'>) => ({
    fuse: conv1('fuse', 4 * hidden, COARSE),
    fuseNorm: norm('fuse_norm', COARSE),
    context: residual('context', COARSE),
    reduce: conv1('reduce', COARSE, FINE),
    stem: cells('stem', stride, channels, FINE),
    texture: residual('texture', FINE),
    first: residual('first', FINE),
    second: residual('second', FINE),
    last: norm('last_norm', FINE),
    classify: conv1('classify', FINE, stride * stride * classes),
  });
  return {
    levels: quarters,
    readsImages: true,
    parameters: (hidden, { patch, channels }) =>
      parametersOfLayers(layersOf(hidden, channels, fineGrid(patch))),
    forward: (grid, pass) => {
      const { factor, stride } = fineGrid(pass.patch);
      const layers = layersOf(grid.shape[3]!, pass.images.shape[3]!, { stride });
      const through = (x: Tensor, ...names: (keyof typeof layers)[]) =>
        names.reduce((y, name) => layers[name].run(y, pass), x);
      const tokens = relu(through(concat([...pass.levels], 3), 'fuse', 'fuseNorm'));
      const coarse = dropout(through(tokens, 'context', 'reduce'), rate, pass.random, [
        grid.shape[0]!,
        1,
        1,
        FINE,
      ]);
      const texture = through(spaceToDepth(pass.images, stride), 'stem', 'texture');
      const joined = through(add(upsample(coarse, factor), texture), 'first', 'second', 'last');
      return depthToSpace(layers.classify.run(relu(joined), pass), stride);
    },
  };
}

/** The first map of the stem: a convolution over each cell of the picture. */
function cells(name: string, stride: number, channels: number, outputs: number): Layer {
  const inputs = stride * stride * channels;
  const map = conv1(name, inputs, outputs);
  const [weight, bias] = map.parameters;
  return {
    ...map,
    parameters: [{ ...weight!, torch: { shape: [outputs, channels, stride, stride] } }, bias!],
  };
}
