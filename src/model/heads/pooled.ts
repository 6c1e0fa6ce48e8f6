import type { Tensor } from '@tensorflow/tfjs-core';
import { matMul, reshape, tensor3d } from '../../base/tfjs-core.js';

/**
 * Averages features over `bins` × `bins` fields of nearly one size (PyTorch's `adaptive_avg_pool2d`), applies `map`, and
 * enlarges the result to the grid again, bilinear with half-pixel centres.
 *
 * Both are products with constant matrices: any grid will do, and gradients are exact. Shapes: [batch, rows, columns,
 * channels] → [batch, rows, columns, whatever channels `map` makes].
 */
export function pooledTo(x: Tensor, bins: number, map: (pooled: Tensor) => Tensor): Tensor {
  const [, rows, columns] = x.shape as [number, number, number, number];
  const small = map(along(x, averages(rows, bins), averages(columns, bins)));
  return along(small, interpolation(bins, rows), interpolation(bins, columns));
}

/** down·x·acrossᵀ, channel by channel. */
function along(x: Tensor, down: Tensor, across: Tensor): Tensor {
  const [batch, rows, columns, channels] = x.shape as [number, number, number, number];
  const [tall, wide] = [down.shape[1]!, across.shape[1]!];
  const y = reshape(matMul(down, reshape(x, [batch, rows, columns * channels])), [
    batch * tall,
    columns,
    channels,
  ]);
  return reshape(matMul(across, y), [batch, tall, wide, channels]);
}

/** [1, bins, n]: bin i is the mean of ⌊i·n/bins⌋ up to ⌈(i + 1)·n/bins⌉. */
function averages(n: number, bins: number): Tensor {
  const weights = new Float32Array(bins * n);
  for (let i = 0; i < bins; i++) {
    const [from, to] = [Math.floor((i * n) / bins), Math.ceil(((i + 1) * n) / bins)];
    weights.fill(1 / (to - from), i * n + from, i * n + to);
  }
  return tensor3d(weights, [1, bins, n]);
}

/** [1, to, from]: output i lies at (i + ½)·from/to − ½, between its two neighbours, clamped at the border. */
function interpolation(from: number, to: number): Tensor {
  const weights = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const at = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5));
    const low = Math.floor(at);
    const high = Math.min(from - 1, low + 1);
    weights[i * from + low]! += 1 - (at - low);
    weights[i * from + high]! += at - low;
  }
  return tensor3d(weights, [1, to, from]);
}
