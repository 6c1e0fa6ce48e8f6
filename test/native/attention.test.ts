import assert from 'node:assert/strict';
import '../../src/engine/tfjs.js';
import { mul, type Scalar, setBackend, sum, tensor, tidy } from '@tensorflow/tfjs-core';
import { attention } from '../../src/engine/ops/attention.js';
import { valueAndGradients } from '../../src/engine/value-and-gradients.js';
import { bf16Numbers as drawn } from './bf16-numbers.js';
import { needOnednn, startOnednn } from './onednn.js';

/** Tokens, heads and their size: single ones, those around vectors, tiles and pairs of tiles, and those of models. */
const SHAPES: readonly (readonly [number, number, number])[] = [
  [1, 1, 2],
  [1, 2, 64],
  [2, 1, 16],
  [15, 1, 34],
  [16, 3, 32],
  [17, 2, 6],
  [31, 1, 66],
  [33, 1, 80],
  [49, 2, 64],
  [64, 1, 128],
  [65, 1, 18],
  [197, 3, 64],
  [400, 1, 64],
  [577, 1, 64],
  [1025, 1, 48],
];

/** The result of two images and the gradients of queries, keys and values. */
function evaluate(
  [tokens, heads, size]: readonly [number, number, number],
  spread: number,
): readonly Float32Array[] {
  return tidy(() => {
    const shape = [2, tokens, heads * size];
    const of = (name: string, wide: number) =>
      tensor(drawn(name, 2 * tokens * heads * size, wide), shape as [number, number, number]);
    const inputs = [of('q', spread), of('k', spread), of('v', 2)];
    const dy = of('dy', 2);
    const value = () => attention(inputs[0]!, inputs[1]!, inputs[2]!, heads);
    const { gradients } = valueAndGradients(() => sum(mul(value(), dy)) as Scalar, inputs);
    return [value(), ...gradients].map((x) => x!.dataSync().slice() as Float32Array);
  });
}

/** Weights that are nearly even; ones of a few keys; and ones of which most are too small for f32. */
for (const spread of [2, 8, 60])
  describe(`attention in bf16, of queries and keys up to ${spread / 2}`, () => {
    before(needOnednn);
    after(() => setBackend('cpu'));

    for (const shape of SHAPES)
      it(`${shape.join(' x ')}: is that in f32 up to the rounding of bf16`, async () => {
        await startOnednn('f32');
        const expected = evaluate(shape, spread);
        await startOnednn('bf16');
        evaluate(shape, spread).forEach((got, i) => {
          // One token weighs 1, whatever it is: its gradients are 0 but for rounding.
          const largest = Math.max(0.1, ...expected[i]!.map(Math.abs));
          const error = Math.max(...got.map((x, j) => Math.abs(x - expected[i]![j]!))) / largest;
          assert.ok(error < 0.02, `${['y', 'dq', 'dk', 'dv'][i]} is off by ${error}`);
        });
      });
  });
