import type { Tensor } from '@tensorflow/tfjs-core';
import { matMul, reshape, tensor3d } from '../../base/tfjs-core.js';
import { defineOp } from '../op.js';
import { expectCount, expectShape } from '../shapes.js';

interface Attrs {
  readonly factor: number;
}

const run = defineOp<{ x: Tensor }, Attrs>({
  name: 'Upsample',
  plain: ({ x }, { factor }) => {
    const [batch, height, width, channels] = x.shape as [number, number, number, number];
    const [up, across] = [interpolation(height, factor), interpolation(width, factor)];
    const tall = matMul(up, reshape(x, [batch, height, width * channels]));
    const rows = reshape(tall, [batch * height * factor, width, channels]);
    const wide = matMul(across, rows);
    return reshape(wide, [batch, height * factor, width * factor, channels]);
  },
  gradient: (dy, _saved, attrs) => ({ x: () => runGradient({ dy }, attrs)[0]! }),
});

const runGradient = defineOp<{ dy: Tensor }, Attrs>({
  name: 'UpsampleGrad',
  plain: ({ dy }, { factor }) => {
    const [batch, tall, wide, channels] = dy.shape as [number, number, number, number];
    const [height, width] = [tall / factor, wide / factor];
    const [up, across] = [interpolation(height, factor), interpolation(width, factor)];
    const short = matMul(up, reshape(dy, [batch, tall, wide * channels]), true, false);
    const rows = reshape(short, [batch * height, wide, channels]);
    return reshape(matMul(across, rows, true, false), [batch, height, width, channels]);
  },
});

/**
 * Enlarges images by a whole factor, bilinear, `align_corners=False` as PyTorch has it.
 *
 * y = U·x·Uᵀ with constant interpolation matrices U, since the resize of tfjs 4.22 has a wrong gradient for
 * half-pixel centres. Shapes: [batch, h, w, channels] → [batch, h·factor, w·factor, channels].
 */
export function upsample(x: Tensor, factor: number): Tensor {
  expectShape('upsample', 'x', x, [-1, -1, -1, -1]);
  expectCount('upsample', 'factor', factor);
  return run({ x }, { factor })[0]!;
}

/** U [1, n·factor, n], which matMul broadcasts over a batch: output i lies at (i + ½)/factor − ½, between its two neighbours, clamped at the border. */
function interpolation(n: number, factor: number): Tensor {
  const weights = new Float32Array(n * factor * n);
  for (let i = 0; i < n * factor; i++) {
    const at = Math.max(0, (i + 0.5) / factor - 0.5);
    const low = Math.min(n - 1, Math.floor(at));
    const high = Math.min(n - 1, low + 1);
    weights[i * n + low]! += 1 - (at - low);
    weights[i * n + high]! += at - low;
  }
  return tensor3d(weights, [1, n * factor, n]);
}
