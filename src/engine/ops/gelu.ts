import type { Tensor } from '@tensorflow/tfjs-core';
import { add, erf, exp, mul, square } from '../../base/tfjs-core.js';
import { defineOp } from '../op.js';

const run = defineOp<{ x: Tensor }, object>({
  name: 'Gelu',
  plain: ({ x }) => mul(x, cdf(x)),
  saves: { inputs: ['x'] },
  gradient: (dy, [x]) => ({ x: () => geluGradient(dy, x!) }),
});

const runGradient = defineOp<{ dy: Tensor; x: Tensor }, object>({
  name: 'GeluGrad',
  plain: ({ dy, x }) => {
    const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return mul(dy, add(cdf(x), mul(x, density)));
  },
});

/**
 * The Gaussian error linear unit, exact: gelu(x) = x·Φ(x), Φ(x) = ½(1 + erf(x/√2)) (Hendrycks & Gimpel 2016).
 *
 * Its derivative is Φ(x) + x·φ(x), with φ the standard normal density.
 */
export function gelu(x: Tensor): Tensor {
  return run({ x }, {})[0]!;
}

function geluGradient(dy: Tensor, x: Tensor): Tensor {
  return runGradient({ dy, x }, {})[0]!;
}

function cdf(x: Tensor): Tensor {
  return mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
}
