import type { Tensor } from '@tensorflow/tfjs-core';
import { add, matMul, mul, sigmoid, softplus, stack, sub, unstack } from '../../base/tfjs-core.js';
import { defineOp } from '../op.js';
import { expectShape } from '../shapes.js';

const run = defineOp<{ x: Tensor; regions: Tensor }, object>({
  name: 'RegionSums',
  plain: ({ x, regions }) =>
    stack([softplus(x), x, sigmoid(x)].map((each) => matMul(each, regions, true, false))),
  saves: { inputs: ['x', 'regions'] },
  gradient: (dy, [x, regions]) => ({
    x: () => runGradient({ dy, x: x!, regions: regions! }, {})[0]!,
    regions: () => {
      throw new Error('regions have no gradient');
    },
  }),
});

const runGradient = defineOp<{ dy: Tensor; x: Tensor; regions: Tensor }, object>({
  name: 'RegionSumsGrad',
  plain: ({ dy, x, regions }) => {
    const [a, b, c] = unstack(dy).map((each) => matMul(regions, each, false, true));
    const p = sigmoid(x);
    return add(b!, mul(p, add(a!, mul(sub(1, p), c!))));
  },
});

/**
 * Sums over regions, map by map: Σ w·log(1 + eˣ), Σ w·x and Σ w·σ(x), with the weight w of each place in each region.
 * Binary cross-entropy and Dice of every map with every region are functions of them.
 *
 * Shapes: x [batch, places, maps], regions [batch, places, regions]; result [3, batch, maps, regions]. The gradient by x
 * is Σ w·(σ(x)·d₀ + d₁ + σ(x)·(1 − σ(x))·d₂) over the regions; regions have none.
 */
export function regionSums(x: Tensor, regions: Tensor): Tensor {
  expectShape('regionSums', 'x', x, [-1, -1, -1]);
  expectShape('regionSums', 'regions', regions, [x.shape[0]!, x.shape[1]!, -1]);
  return run({ x, regions }, {})[0]!;
}
