import { add, mean, mul, reshape, rsqrt, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp } from '../op.js';

interface Attrs {
  readonly epsilon: number;
}

const run = defineOp<{ x: Tensor; gain: Tensor; bias: Tensor }, Attrs>({
  name: 'LayerNorm',
  plain: ({ x, gain, bias }, { epsilon }) => {
    const average = mean(x, -1, true);
    const centered = sub(x, average);
    const scale = rsqrt(add(mean(square(centered), -1, true), epsilon));
    return [add(mul(mul(centered, scale), gain), bias), average, scale];
  },
  saves: { inputs: ['x', 'gain'], outputs: [false, true, true] },
  gradient: (dy, [x, gain, average, scale]) => ({
    x: () => runGradient({ dy, x: x!, gain: gain!, average: average!, scale: scale! }, {})[0]!,
    gain: () => sum(rows(mul(dy, mul(sub(x!, average!), scale!))), 0),
    bias: () => sum(rows(dy), 0),
  }),
});

const runGradient = defineOp<{ dy: Tensor; x: Tensor; gain: Tensor; average: Tensor; scale: Tensor }, object>(
  {
    name: 'LayerNormGrad',
    plain: ({ dy, x, gain, average, scale }) => {
      const normal = mul(sub(x, average), scale);
      const g = mul(dy, gain);
      const along = mul(normal, mean(mul(g, normal), -1, true));
      return mul(scale, sub(sub(g, mean(g, -1, true)), along));
    },
  },
);

/**
 * Layer normalisation over the last axis (Ba, Kiros & Hinton 2016):
 * y = (x − μ)·ρ·g + b with ρ = 1/√(σ² + ε), μ and σ² over the last axis.
 *
 * With x̂ = (x − μ)ρ and d = dy·g the gradient is dx = ρ(d − mean(d) − x̂·mean(d·x̂)).
 *
 * Shapes: x [..., n], gain and bias [n].
 */
export function layerNorm(x: Tensor, gain: Tensor, bias: Tensor, epsilon: number): Tensor {
  return run({ x, gain, bias }, { epsilon })[0]!;
}

function rows(x: Tensor): Tensor {
  return reshape(x, [-1, x.shape.at(-1)!]);
}
