import type { Tensor } from '@tensorflow/tfjs-core';
import { add, clone, mean, mul, reshape, rsqrt, square, sub, sum } from '../../base/tfjs-core.js';
import { defineOp } from '../op.js';
import { expectCount, expectShape } from '../shapes.js';

interface Attrs {
  readonly epsilon: number;
  /** Whether x itself is passed on as a further output. */
  readonly passes: boolean;
}

const run = defineOp<{ x: Tensor; gain: Tensor; bias: Tensor }, Attrs>({
  name: 'LayerNorm',
  plain: ({ x, gain, bias }, { epsilon, passes }) => {
    const average = mean(x, -1, true);
    const centered = sub(x, average);
    const scale = rsqrt(add(mean(square(centered), -1, true), epsilon));
    const y = add(mul(mul(centered, scale), gain), bias);
    return [y, average, scale, ...(passes ? [clone(x)] : [])];
  },
  saves: { inputs: ['x', 'gain'], outputs: [false, true, true] },
  gradient: (dy, [x, gain, average, scale], _attrs, [, , , passed]) => ({
    x: () => runGradient({ dy, x: x!, gain: gain!, average: average!, scale: scale!, passed }, {})[0]!,
    gain: () => sum(rows(mul(dy, mul(sub(x!, average!), scale!))), 0),
    bias: () => sum(rows(dy), 0),
  }),
});

const runGradient = defineOp<
  { dy: Tensor; x: Tensor; gain: Tensor; average: Tensor; scale: Tensor; passed?: Tensor | undefined },
  object
>({
  name: 'LayerNormGrad',
  plain: ({ dy, x, gain, average, scale, passed }) => {
    const normal = mul(sub(x, average), scale);
    const g = mul(dy, gain);
    const along = mul(normal, mean(mul(g, normal), -1, true));
    const dx = mul(scale, sub(sub(g, mean(g, -1, true)), along));
    return passed ? add(dx, passed) : dx;
  },
});

/**
 * Layer normalisation over the last axis (Ba, Kiros & Hinton 2016):
 * y = (x − μ)·ρ·g + b with ρ = 1/√(σ² + ε), μ and σ² over the last axis.
 *
 * With x̂ = (x − μ)ρ and d = dy·g the gradient is dx = ρ(d − mean(d) − x̂·mean(d·x̂)).
 *
 * Shapes: x [..., n], gain and bias [n].
 */
export function layerNorm(x: Tensor, gain: Tensor, bias: Tensor, epsilon: number): Tensor {
  expectWidth(x, gain, bias);
  return run({ x, gain, bias }, { epsilon, passes: false })[0]!;
}

/**
 * The same for a residual stream: returns the normalised x, and x. The two gradients of x are added as they are
 * computed.
 *
 * @example
 * const [y, same] = branchNorm(tokens, weight, bias, 1e-6);
 */
export function branchNorm(x: Tensor, gain: Tensor, bias: Tensor, epsilon: number): [y: Tensor, x: Tensor] {
  expectWidth(x, gain, bias);
  const [y, , , same] = run({ x, gain, bias }, { epsilon, passes: true });
  return [y!, same!];
}

function expectWidth(x: Tensor, gain: Tensor, bias: Tensor): void {
  const width = x.shape.at(-1) ?? 0;
  expectCount('layerNorm', 'the width of x', width);
  expectShape('layerNorm', 'gain', gain, [width]);
  expectShape('layerNorm', 'bias', bias, [width]);
}

function rows(x: Tensor): Tensor {
  return reshape(x, [-1, x.shape.at(-1)!]);
}
