import assert from 'node:assert/strict';
import '@tensorflow/tfjs-backend-wasm';
import {
  concat,
  dispose,
  engine,
  mul,
  type Scalar,
  setBackend,
  sum,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core';
import { useEngine } from '../../src/engine/engine.js';
import { addonPath } from '../../src/engine/onednn/addon.js';
import { attention } from '../../src/engine/ops/attention.js';
import { conv3x3 } from '../../src/engine/ops/conv3x3.js';
import { softmaxCrossEntropy } from '../../src/engine/ops/cross-entropy.js';
import { gelu } from '../../src/engine/ops/gelu.js';
import { branchNorm, layerNorm } from '../../src/engine/ops/layer-norm.js';
import { linear } from '../../src/engine/ops/linear.js';
import { linears } from '../../src/engine/ops/linears.js';
import { overlap } from '../../src/engine/ops/overlap.js';
import { regionSums } from '../../src/engine/ops/region-sums.js';
import { rotary } from '../../src/engine/ops/rotary.js';
import { upsample } from '../../src/engine/ops/upsample.js';
import { torchAddonPath } from '../../src/engine/torch/addon.js';
import { valueAndGradients } from '../../src/engine/value-and-gradients.js';
import { normal, randomStream } from '../../src/random/random-stream.js';

interface Case {
  readonly shapes: readonly (readonly number[])[];
  readonly op: (...inputs: Tensor[]) => Tensor;
}

/** Cosines and sines of angles, [tokens, half]. */
function turns(tokens: number, half: number): [Tensor, Tensor] {
  const angles = Array.from({ length: tokens * half }, (_, i) => 0.7 * i - 1);
  const of = (f: (angle: number) => number) => tensor(angles.map(f), [tokens, half]);
  return [of(Math.cos), of(Math.sin)];
}

/** Weights of places in regions, some 0. */
const weightsFor = (batch: number, places: number, regions: number): Tensor =>
  tensor(
    Array.from({ length: batch * places * regions }, (_, i) => (i * i) % 4),
    [batch, places, regions],
    'float32',
  );

const cases: Record<string, Case> = {
  linear: { shapes: [[2, 3, 4], [4, 5], [5]], op: (x, w, b) => linear(x!, w!, b) },
  'linear without bias': {
    shapes: [
      [3, 4],
      [4, 2],
    ],
    op: (x, w) => linear(x!, w!),
  },
  'linears of one input': {
    shapes: [[2, 3, 4], [4, 6], [6], [4, 2], [2, 6], [4, 2], [2, 2, 6], [2, 6, 1]],
    op: (x, w, c, a, b, v, blockA, blockB) => {
      const [y, z] = linears([
        { x: x!, weight: w!, bias: c!, lowRank: { a: a!, b: b!, scale: 0.5 } },
        { x: x!, weight: v!, lowRank: { a: blockA!, b: blockB!, scale: 2 } },
      ]);
      return concat([y!, z!], 2);
    },
  },
  'linears added to a residual': {
    shapes: [
      [2, 3, 4],
      [2, 3, 5],
      [4, 5],
    ],
    op: (x, y, w) => linears([{ x: x!, weight: w! }], y)[0]!,
  },
  gelu: { shapes: [[3, 7]], op: (x) => gelu(x!) },
  layerNorm: { shapes: [[2, 3, 6], [6], [6]], op: (x, g, b) => layerNorm(x!, g!, b!, 1e-6) },
  branchNorm: {
    shapes: [[2, 3, 6], [6], [6]],
    op: (x, g, b) => concat(branchNorm(x!, g!, b!, 1e-6), 2),
  },
  attention: {
    shapes: [
      [2, 5, 6],
      [2, 5, 6],
      [2, 5, 6],
    ],
    op: (q, k, v) => attention(q!, k!, v!, 2),
  },
  rotary: { shapes: [[2, 3, 8]], op: (x) => rotary(x!, ...turns(3, 2)) },
  upsample: { shapes: [[2, 3, 2, 3]], op: (x) => upsample(x!, 4) },
  conv3x3: { shapes: [[2, 4, 3, 2], [18, 3], [3]], op: (x, w, b) => conv3x3(x!, w!, b!) },
  regionSums: { shapes: [[2, 5, 3]], op: (x) => regionSums(x!, weightsFor(2, 5, 4)) },
};

function draw(shapes: Case['shapes'], name: string): number[][] {
  const random = randomStream(1, 'ops', name);
  return shapes.map((shape) =>
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => normal(random)),
  );
}

/** The value and, with fixed random weights on the output, the gradient by every input. */
function evaluate({ shapes, op }: Case, values: readonly number[][], name: string) {
  return tidy(() => {
    const inputs = values.map((value, i) => tensor(value, [...shapes[i]!]));
    const y = op(...inputs);
    const random = randomStream(2, 'weights', name);
    const weights = tensor(
      Array.from({ length: y.size }, () => normal(random)),
      y.shape,
    );
    const { value, grads } = engine().gradients(() => sum(mul(op(...inputs), weights)) as Tensor, inputs);
    return {
      y: Array.from(y.dataSync()),
      loss: value.dataSync()[0]!,
      grads: grads.map((grad) => Array.from(grad.dataSync())),
    };
  });
}

describe('ops', () => {
  after(() => setBackend('cpu'));

  for (const [name, one] of Object.entries(cases)) {
    it(`${name}: the gradient is that of central differences`, async () => {
      await setBackend('cpu');
      const values = draw(one.shapes, name);
      const { grads } = evaluate(one, values, name);
      const step = 1e-2;
      values.forEach((value, i) =>
        value.forEach((x, j) => {
          const at = (shifted: number) =>
            evaluate(
              one,
              values.map((v, k) => (k === i ? v.with(j, shifted) : v)),
              name,
            ).loss;
          const numeric =
            (at(x - 2 * step) - 8 * at(x - step) + 8 * at(x + step) - at(x + 2 * step)) / (12 * step);
          const error = Math.abs(numeric - grads[i]![j]!) / (1 + Math.abs(numeric));
          assert.ok(error < 2e-3, `input ${i}, element ${j}: numeric ${numeric}, got ${grads[i]![j]}`);
        }),
      );
    });

    it(`${name}: wasm and cpu agree`, async () => {
      const values = draw(one.shapes, name);
      await setBackend('cpu');
      const cpu = evaluate(one, values, name);
      await setBackend('wasm');
      const wasm = evaluate(one, values, name);
      await setBackend('cpu');
      const pairs = [[cpu.y, wasm.y], ...cpu.grads.map((grad, i) => [grad, wasm.grads[i]!])] as const;
      for (const [expected, got] of pairs)
        expected!.forEach((x, i) =>
          assert.ok(Math.abs(x - got![i]!) <= 1e-5 * (1 + Math.abs(x)), `${x} ${got![i]}`),
        );
    });
  }

  it('upsample is align_corners=False: a ramp stays a ramp between the pixel centres', () => {
    const ramp = tensor([0, 1, 2, 3], [1, 1, 4, 1]);
    const enlarged = upsample(ramp, 2);
    assert.deepEqual(Array.from(enlarged.dataSync().slice(0, 8)), [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]);
    dispose([ramp, enlarged]);
  });

  it('crossEntropy of the least likely class is as large as it is, and its gradient is finite', async () => {
    for (const name of ['cpu', 'wasm', 'onednn', 'torch'] as const) {
      if (name === 'onednn' && !addonPath()) continue;
      if (name === 'torch' && !torchAddonPath()) continue;
      await useEngine(name, { device: 'cpu' });
      tidy(() => {
        // torch.nn.functional.cross_entropy: 350 and 0, mean 175, gradient ±½.
        const logits = tensor([200, 0, -150, 0, 400, 0], [2, 3]);
        const masks = tensor([2, 1], [2], 'int32');
        const { value, grads } = engine().gradients(() => softmaxCrossEntropy(logits, masks), [logits]);
        assert.deepEqual([...value.dataSync()], [175], name);
        assert.deepEqual([...grads[0]!.dataSync()].map(Math.abs), [0.5, 0, 0.5, 0, 0, 0], name);
      });
    }
  });

  it('refuses tensors that do not fit, on any engine', () => {
    tidy(() => {
      const x = zeros([2, 3, 4]);
      const refused: [() => unknown, RegExp][] = [
        [() => attention(x, x, x, 3), /attention: expected heads that divide the width 4, got 3/],
        [() => attention(x, x, x, 0), /attention: expected heads to be an integer from 1 up, got 0/],
        [
          () => attention(x, x, zeros([2, 4, 4]), 2),
          /attention: expected v to be float32 \[2, 3, 4\], got .* \[2, 4, 4\]/,
        ],
        [() => layerNorm(zeros([3, 0]), zeros([0]), zeros([0]), 1e-6), /layerNorm: expected the width of x/],
        [
          () => linear(x, zeros([6, 2])),
          /linear: expected weight to be float32 \[4, \?\], got float32 \[6, 2\]/,
        ],
        [
          () => linear(x, zeros([4, 2]), zeros([3])),
          /linear: expected bias to be float32 \[2\], got float32 \[3\]/,
        ],
        [
          () =>
            linears([
              { x, weight: zeros([4, 6]), lowRank: { a: zeros([4, 2]), b: zeros([6, 2]), scale: 1 } },
            ]),
          /linears: expected B to be float32 \[2, 6\], got float32 \[6, 2\]/,
        ],
        [
          () => upsample(zeros([1, 2, 2, 3]), 0),
          /upsample: expected factor to be an integer from 1 up, got 0/,
        ],
        [
          () => conv3x3(zeros([1, 2, 2, 3]), zeros([9, 3]), zeros([3])),
          /conv3x3: expected weight to be float32 \[27, \?\]/,
        ],
        [
          () => regionSums(zeros([2, 6, 3]), zeros([2, 5, 4])),
          /regionSums: expected regions to be float32 \[2, 6, \?\]/,
        ],
        [
          () => overlap(zeros([1, 4, 4, 3]), zeros([1, 400, 400], 'int32')),
          /overlap: expected masks to be int32 \[1, 4, 4\]/,
        ],
        [
          () => softmaxCrossEntropy(zeros([2, 3]), zeros([2])),
          /crossEntropy: expected masks to be int32 \[2\], got float32/,
        ],
      ];
      for (const [work, message] of refused) assert.throws(work, message);
    });
  });

  it('a frozen weight gets no gradient', () => {
    tidy(() => {
      const x = tensor([1, 2], [1, 2]);
      const weight = tensor([1, 2, 3, 4], [2, 2]);
      const { grads } = engine().gradients(() => sum(linear(x, weight)) as Tensor, [x]);
      assert.deepEqual(Array.from(grads[0]!.dataSync()), [3, 7]);
    });
  });

  it('frozen linears have the values and input gradients of others, and refuse a weight gradient', () => {
    tidy(() => {
      const x = tensor([1, -2, 3, 0.5], [2, 2]);
      const [w, v] = [tensor([1, 2, 3, 4], [2, 2]), tensor([5, -1], [2, 1])];
      const y = tensor([7, 8, 9, 10], [2, 2]);
      const loss = (frozen: boolean) => (a: Tensor, residual: Tensor) => {
        const maps = [{ x: a, weight: w, frozen }];
        const [p] = linears(maps, residual);
        const [q, r] = linears([...maps, { x: a, weight: v, frozen }]);
        return sum(mul(p!, concat([q!, r!], 1).slice([0, 0], [2, 2]))) as Tensor;
      };
      const [free, bound] = [false, true].map((frozen) =>
        engine()
          .gradients(() => loss(frozen)(x, y), [x, y])
          .grads.map((grad) => Array.from(grad.dataSync())),
      );
      assert.deepEqual(bound, free);
      assert.throws(
        () => valueAndGradients(() => loss(true)(x, y) as Scalar, [w]),
        /a frozen weight has no gradient/,
      );
    });
  });
});
