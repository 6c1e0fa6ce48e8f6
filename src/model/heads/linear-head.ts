import { linear } from '../../engine/ops/linear.js';
import { upsample } from '../../engine/ops/upsample.js';
import { batchNorm, batchNormParameters } from './batch-norm.js';
import type { Head, HeadOptions } from './head.js';
import { conv1 } from './layers.js';

/**
 * BatchNorm and one 1×1 convolution on the last features, their logits enlarged to pixels: the linear protocol of DINOv2
 * and DINOv3 (Siméoni et al. 2025, arXiv:2508.10104), which measures features rather than heads.
 */
export function linearHead({ classes }: HeadOptions): Head {
  return {
    parameters: (hidden) => [
      ...batchNormParameters(hidden),
      ...conv1('classify', hidden, classes).parameters,
    ],
    forward: (grid, pass) => {
      const x = batchNorm(grid, pass);
      return upsample(linear(x, pass.get('classify.weight'), pass.get('classify.bias')), pass.patch);
    },
  };
}
