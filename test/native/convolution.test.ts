import assert from 'node:assert/strict';
import '../../src/engine/tfjs.js';
import { mul, type Scalar, setBackend, sum, tensor, tidy } from '@tensorflow/tfjs-core';
import { conv3x3 } from '../../src/engine/ops/conv3x3.js';
import { valueAndGradients } from '../../src/engine/value-and-gradients.js';
import { bf16Numbers } from './bf16-numbers.js';
import { needOnednn, startOnednn } from './onednn.js';

/** Images, height, width, channels and those of the result: single ones, those around tiles, and those of heads. */
const SHAPES: readonly (readonly [number, number, number, number, number])[] = [
  [1, 1, 1, 1, 1],
  [2, 1, 3, 32, 2],
  [2, 5, 7, 3, 33],
  [1, 6, 14, 31, 31],
  [3, 17, 30, 32, 64],
  [1, 40, 23, 64, 40],
  [1, 33, 9, 96, 65],
  [2, 12, 12, 192, 128],
];

/** The result and the gradients of images, weight and bias. */
function evaluate([batch, height, width, channels, out]: (typeof SHAPES)[number]): readonly Float32Array[] {
  return tidy(() => {
    const of = <S extends number[]>(name: string, shape: S) =>
      tensor(
        bf16Numbers(
          name,
          shape.reduce((a, b) => a * b, 1),
          2,
        ),
        shape,
      );
    const inputs = [of('x', [batch, height, width, channels]), of('w', [9 * channels, out]), of('b', [out])];
    const dy = of('dy', [batch, height, width, out]);
    const value = () => conv3x3(inputs[0]!, inputs[1]!, inputs[2]!);
    const { gradients } = valueAndGradients(() => sum(mul(value(), dy)) as Scalar, inputs);
    return [value(), ...gradients].map((x) => x!.dataSync().slice() as Float32Array);
  });
}

const largest = (x: Float32Array) => x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

describe('conv3x3 in bf16', () => {
  before(needOnednn);
  after(() => setBackend('cpu'));

  for (const shape of SHAPES)
    it(`${shape.join(' x ')}: is that in f32 up to the rounding of bf16`, async () => {
      await startOnednn('f32');
      const expected = evaluate(shape);
      await startOnednn('bf16');
      evaluate(shape).forEach((got, i) => {
        const error = largest(got.map((x, j) => x - expected[i]![j]!)) / largest(expected[i]!);
        assert.ok(error < 0.01, `${['y', 'dx', 'dw', 'db'][i]} is off by ${error}`);
      });
    });
});
