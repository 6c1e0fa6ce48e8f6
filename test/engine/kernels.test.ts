import assert from 'node:assert/strict';
import '../../src/engine/tfjs.js';
import * as tf from '@tensorflow/tfjs-core';
import { setBackend, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { frozen } from '../../src/engine/frozen.js';
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
import { valueAndGradients } from '../../src/engine/value-and-gradients.js';
import { normal, randomStream } from '../../src/random/random-stream.js';
import { ContractTable } from './contract-table.js';
import { need, start, TESTED, TESTED_ENGINES, type TestedEngine } from './tested-engines.js';

/** Inputs by shape, and a function of them; `like` draws the numbers, standard normal by default. */
interface Case {
  readonly shapes: readonly (readonly number[])[];
  readonly op: (...inputs: Tensor[]) => Tensor;
  readonly like?: (random: () => number) => number;
  /** Where tfjs itself has no gradient. */
  readonly valueOnly?: boolean;
}

const size = fc.integer({ min: 1, max: 9 });
const shape = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 });
const positive = (random: () => number) => 0.1 + 3 * random();

const one = (op: Case['op'], like?: Case['like']): fc.Arbitrary<Case> =>
  shape.map((s) => ({ shapes: [s], op, ...(like && { like }) }));

/** Two of one shape. */
const alike = (op: Case['op']): fc.Arbitrary<Case> => shape.map((s) => ({ shapes: [s, s], op }));

/** Two shapes that broadcast: dimensions of either may be 1, and the second may lack leading ones. */
const pair = (op: Case['op'], like?: Case['like']): fc.Arbitrary<Case> =>
  fc
    .tuple(shape, fc.array(fc.constantFrom('both', 'a', 'b'), { minLength: 4, maxLength: 4 }), fc.nat(3))
    .map(([s, kinds, drop]) => ({
      shapes: [
        s.map((n, i) => (kinds[i] === 'b' ? 1 : n)),
        s.map((n, i) => (kinds[i] === 'a' ? 1 : n)).slice(Math.min(drop, s.length - 1)),
      ],
      op,
      ...(like && { like }),
    }));

/** A subset of the axes of a random shape. */
const axes = (op: (x: Tensor, axes: number[]) => Tensor): fc.Arbitrary<Case> =>
  fc.tuple(shape, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 })).map(([s, chosen]) => ({
    shapes: [s],
    op: (x) =>
      op(
        x!,
        s.map((_, i) => i).filter((i) => chosen[i]),
      ),
  }));

const masksFor = (pixels: number, classes: number) => {
  const random = randomStream(3, 'masks', pixels, classes);
  return tensor(
    Int32Array.from({ length: pixels }, () => {
      const id = Math.floor(random() * (classes + 1));
      return id === classes ? 255 : id;
    }),
    [pixels],
    'int32',
  );
};

const cases: Record<string, fc.Arbitrary<Case>> = {
  neg: one((x) => tf.neg(x!)),
  abs: one((x) => tf.abs(x!)),
  square: one((x) => tf.square(x!)),
  relu: one((x) => tf.relu(x!)),
  exp: one((x) => tf.exp(x!)),
  expm1: one((x) => tf.expm1(x!)),
  log: one((x) => tf.log(x!), positive),
  log1p: one((x) => tf.log1p(x!), positive),
  sqrt: one((x) => tf.sqrt(x!), positive),
  rsqrt: one((x) => tf.rsqrt(x!), positive),
  erf: one((x) => tf.erf(x!)),
  sigmoid: one((x) => tf.sigmoid(x!)),
  tanh: one((x) => tf.tanh(x!)),
  sinh: one((x) => tf.sinh(x!)),
  cosh: one((x) => tf.cosh(x!)),
  sin: one((x) => tf.sin(x!)),
  cos: one((x) => tf.cos(x!)),
  reciprocal: one((x) => tf.reciprocal(x!), positive),
  softplus: one((x) => tf.softplus(x!)),
  elu: one((x) => tf.elu(x!)),
  leakyRelu: one((x) => tf.leakyRelu(x!, 0.3)),
  clip: one((x) => tf.clipByValue(x!, -0.5, 0.7)),
  add: pair((a, b) => tf.add(a!, b!)),
  sub: pair((a, b) => tf.sub(a!, b!)),
  mul: pair((a, b) => tf.mul(a!, b!)),
  div: pair((a, b) => tf.div(a!, b!), positive),
  // The gradients of these and of squaredDifference cannot broadcast in tfjs 4.22.
  maximum: alike((a, b) => tf.maximum(a!, b!)),
  minimum: alike((a, b) => tf.minimum(a!, b!)),
  pow: pair((a, b) => tf.pow(a!, b!), positive),
  squaredDifference: alike((a, b) => tf.squaredDifference(a!, b!)),
  sum: axes((x, a) => tf.sum(x, a)),
  mean: axes((x, a) => tf.mean(x, a, true)),
  max: axes((x, a) => tf.max(x, a)),
  min: axes((x, a) => tf.min(x, a)),
  softmax: one((x) => tf.softmax(x!)),
  logSoftmax: one((x) => tf.logSoftmax(x!)),
  transpose: shape.chain((s) =>
    fc
      .shuffledSubarray(
        s.map((_, i) => i),
        { minLength: s.length },
      )
      .map((perm) => ({ shapes: [s], op: (x: Tensor) => tf.transpose(x, perm) })),
  ),
  slice: fc
    .array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 4 }), fc.nat(3)), { minLength: 1, maxLength: 4 })
    .map((parts) => ({
      shapes: [parts.map(([a, b, c]) => a + b + c)],
      op: (x) =>
        tf.slice(
          x!,
          parts.map(([a]) => a),
          parts.map(([, b]) => b),
        ),
    })),
  pad: fc.array(fc.tuple(fc.nat(3), size, fc.nat(3)), { minLength: 1, maxLength: 4 }).map((parts) => ({
    shapes: [parts.map(([, n]) => n)],
    op: (x) =>
      tf.pad(
        x!,
        parts.map(([a, , b]) => [a, b] as [number, number]),
        0.5,
      ),
  })),
  tile: shape.map((s) => ({
    shapes: [s],
    op: (x) =>
      tf.tile(
        x!,
        s.map((_, i) => 1 + (i % 3)),
      ),
  })),
  reverse: axes((x, a) => tf.reverse(x, a)),
  concat: fc.tuple(size, size, size, size).map(([a, b, c, d]) => ({
    shapes: [
      [a, b, d],
      [a, c, d],
    ],
    op: (x, y) => tf.concat([x!, y!, x!], 1),
  })),
  stack: shape.map((s) => ({ shapes: [s, s], op: (x, y) => tf.stack([x!, y!], s.length) })),
  unstack: fc.tuple(size, size).map(([a, b]) => ({
    shapes: [[a, 3, b]],
    op: (x) => {
      const [p, q, r] = tf.unstack(x!, 1);
      return tf.add(tf.mul(p!, q!), r!);
    },
  })),
  split: fc.tuple(size, size).map(([a, b]) => ({
    shapes: [[a, 5, b]],
    op: (x) => {
      const [p, q] = tf.split(x!, [2, 3], 1);
      return tf.concat([q!, p!], 1);
    },
  })),
  where: shape.map((s) => ({
    shapes: [s, s],
    // A comparison has no gradient in tfjs, so the condition is a constant.
    op: (x, y) => tf.where(frozen(() => tf.greater(x!, y!)) as never, tf.mul(x!, 2), y!),
  })),
  gather: fc.tuple(size, size, size).map(([a, n, b]) => ({
    shapes: [[a, n, b]],
    op: (x) => tf.gather(x!, tf.tensor1d([0, n - 1, 0], 'int32'), 1),
  })),
  matMul: fc.tuple(size, size, size, fc.boolean(), fc.boolean()).map(([m, k, n, ta, tb]) => ({
    shapes: [ta ? [k, m] : [m, k], tb ? [n, k] : [k, n]],
    op: (a, b) => tf.matMul(a!, b!, ta, tb),
  })),
  'matMul in batches': fc
    .tuple(size, size, size, fc.constantFrom([2, 3], [1, 3], [3]), fc.boolean(), fc.boolean())
    .map(([m, k, n, batch, ta, tb]) => ({
      shapes: [
        [2, 3, ...(ta ? [k, m] : [m, k])],
        [...batch, ...(tb ? [n, k] : [k, n])],
      ],
      op: (a, b) => tf.matMul(a!, b!, ta, tb),
      // tfjs 4.22 does not sum a gradient over the matrices that one factor served.
      valueOnly: batch.join() !== '2,3',
    })),
  linear: fc
    .tuple(size, size, fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 80 }))
    .map(([a, b, from, to]) => ({
      shapes: [[a, b, from], [from, to], [to]],
      op: (x, w, c) => linear(x!, w!, c!),
    })),
  'linears of one input, with low-rank changes': fc
    .tuple(size, fc.constantFrom(6, 12, 36), fc.constantFrom(6, 18, 66), size, fc.constantFrom(2, 3))
    .map(([rows, from, to, r, K]) => ({
      shapes: [
        [2, rows, from],
        ...[to, to, from].flatMap((n) => [[from, n], [n]]),
        [from, r],
        [r, to],
        [K, from / K, K * r],
        [K, K * r, to / K],
      ],
      op: (x, qw, qb, kw, kb, vw, vb, a, b, blockA, blockB) => {
        const [q, k, v] = linears([
          { x: x!, weight: qw!, bias: qb!, lowRank: { a: a!, b: b!, scale: 0.5 } },
          { x: x!, weight: kw!, bias: kb!, lowRank: { a: blockA!, b: blockB!, scale: 2 } },
          { x: x!, weight: vw!, bias: vb! },
        ]);
        return tf.concat([q!, k!, v!], 2);
      },
    })),
  'linears added to a residual': fc
    .tuple(size, size, fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 80 }), size)
    .map(([a, b, from, to, r]) => ({
      shapes: [[a, b, from], [a, b, to], [from, to], [to], [from, r], [r, to]],
      op: (x, y, weight, bias, p, q) =>
        linears([{ x: x!, weight: weight!, bias: bias!, lowRank: { a: p!, b: q!, scale: 1 } }], y)[0]!,
    })),
  gelu: one((x) => gelu(x!)),
  layerNorm: fc.tuple(size, size, fc.integer({ min: 4, max: 300 })).map(([a, b, n]) => ({
    shapes: [[a, b, n], [n], [n]],
    op: (x, g, c) => layerNorm(x!, g!, c!, 1e-6),
  })),
  branchNorm: fc.tuple(size, size, fc.integer({ min: 4, max: 300 })).map(([a, b, n]) => ({
    shapes: [[a, b, n], [n], [n]],
    op: (x, g, c) => tf.concat(branchNorm(x!, g!, c!, 1e-6), 2),
  })),
  attention: fc
    .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 40 }), fc.constantFrom(1, 2, 3))
    .map(([batch, tokens, heads]) => {
      const s = [batch, tokens, heads * 16];
      return { shapes: [s, s, s], op: (q, k, v) => attention(q!, k!, v!, heads) };
    }),
  rotary: fc.tuple(size, size, size, size).map(([batch, tokens, heads, half]) => ({
    shapes: [[batch, tokens, 2 * heads * half]],
    op: (x) => {
      const angles = Array.from({ length: tokens * half }, (_, i) => Math.sin(7 * i) * 4);
      const [cos, sin] = [Math.cos, Math.sin].map((f) => tensor(angles.map(f), [tokens, half]));
      return rotary(x!, cos!, sin!);
    },
  })),
  upsample: fc.tuple(size, size, size, fc.constantFrom(1, 2, 4)).map(([h, w, c, factor]) => ({
    shapes: [[2, h, w, c]],
    op: (x) => upsample(x!, factor),
  })),
  conv3x3: fc.tuple(size, size, size, size).map(([h, w, from, to]) => ({
    shapes: [[2, h, w, from], [9 * from, to], [to]],
    op: (x, w, b) => conv3x3(x!, w!, b!),
  })),
  regionSums: fc.tuple(fc.integer({ min: 1, max: 600 }), size, size).map(([places, maps, regions]) => ({
    shapes: [[2, places, maps]],
    op: (x) =>
      regionSums(
        x!,
        tensor(
          Array.from({ length: 2 * places * regions }, (_, i) => (i * i) % 3),
          [2, places, regions],
          'float32',
        ),
      ),
  })),
  overlap: fc
    .tuple(fc.integer({ min: 1, max: 1200 }), fc.integer({ min: 2, max: 6 }))
    .map(([n, classes]) => ({
      shapes: [[n, classes]],
      op: (x) => overlap(x!, masksFor(n, classes)),
    })),
  crossEntropy: fc
    .tuple(fc.integer({ min: 1, max: 1200 }), fc.integer({ min: 2, max: 6 }))
    .map(([n, classes]) => ({
      shapes: [[n, classes]],
      op: (x) => softmaxCrossEntropy(x!, masksFor(n, classes)),
    })),
};

/** The value, and the gradient of its weighted sum by every input. */
function evaluate({ shapes, op, like = normal, valueOnly }: Case): Float32Array[] {
  return tidy(() => {
    const random = randomStream(1, 'kernels');
    const inputs = shapes.map((s) =>
      tensor(
        Float32Array.from({ length: s.reduce((a, b) => a * b, 1) }, () => like(random)),
        [...s],
      ),
    );
    const y = op(...inputs);
    const weights = tensor(
      Float32Array.from({ length: y.size }, () => normal(random)),
      y.shape,
    );
    const gradients = valueOnly
      ? []
      : valueAndGradients(() => tf.sum(tf.mul(op(...inputs), weights)), inputs).gradients;
    return [y, ...gradients].map((t) => t!.dataSync().slice() as Float32Array);
  });
}

/**
 * The error as a part of the tensor's own size, or of the floor: a sum of large numbers may miss a small one by
 * their rounding.
 */
function relativeError(expected: Float32Array, got: Float32Array, floor: number): number {
  const scale = Math.max(...expected.map(Math.abs), floor);
  return Math.max(...expected.map((x, i) => (Object.is(x, got[i]) ? 0 : Math.abs(x - got[i]!) / scale)));
}

const TOLERANCE = { f32: 1e-5, bf16: 2e-2, f16: 3e-3, int16: 1e-3, int8: 3e-2 };

/** WebGPU promises sines and cosines to 2⁻¹¹ alone (WGSL, § 15.7.4). */
const toleranceOf = (engine: TestedEngine, name: string, precision: keyof typeof TOLERANCE) =>
  engine === 'webgpu' && /^(sin|cos)$/.test(name) ? 2 ** -11 : TOLERANCE[precision];

/**
 * The size below which errors are absolute. Flash attention's gradient is a difference of sums of some tens, which for one
 * token cancel up to their rounding; so does that of TensorFlow's softmax of one class.
 */
const floorOf = (engine: TestedEngine, name: string) =>
  `${engine} ${name}` === 'torch attention' || `${engine} ${name}` === 'tensorflow softmax' ? 0.1 : 1e-3;

const table = new ContractTable();
after(() => console.log(`\n${table}\n`.replaceAll('\n', '\n      ')));

for (const engine of TESTED_ENGINES)
  describe(`${engine} kernels`, () => {
    before(async function () {
      await need(engine, () => table.absent(engine)).call(this);
    });
    after(() => setBackend('cpu'));

    for (const precision of TESTED[engine])
      for (const [name, arbitrary] of Object.entries(cases))
        it(`${name} in ${precision}: value and gradients are those of the cpu backend`, async () => {
          const samples = fc.sample(arbitrary, { numRuns: engine === 'webgpu' ? 4 : 12, seed: 7 });
          await setBackend('cpu');
          const expected = samples.map(evaluate);
          await start(engine, { precision });
          const began = performance.now();
          let largest = 0;
          samples.forEach((sample, i) => {
            evaluate(sample).forEach((got, j) => {
              assert.equal(got.length, expected[i]![j]!.length);
              const error = relativeError(expected[i]![j]!, got, floorOf(engine, name));
              largest = Math.max(largest, error);
              const what = j === 0 ? 'value' : `gradient ${j - 1}`;
              assert.ok(
                error <= toleranceOf(engine, name, precision),
                `${JSON.stringify(sample.shapes)}: ${what} is off by ${error}`,
              );
            });
          });
          table.add(`${engine} ${precision}`, name, { error: largest, ms: performance.now() - began });
          await setBackend('cpu');
        });

    it('matMul broadcasts over any batch dimension', async () => {
      // Not compared with the cpu backend, which takes the wrong matrix here (it counts modulo the batch).
      await start(engine, { precision: 'f32' });
      tidy(() => {
        const [a, b] = [
          tf.randomNormal([2, 3, 4, 5], 0, 1, 'float32', 1),
          tf.randomNormal([2, 1, 5, 6], 0, 1, 'float32', 2),
        ];
        const tiled = tf.matMul(a, tf.tile(b, [1, 3, 1, 1])).dataSync();
        assert.deepEqual(tf.matMul(a, b).dataSync(), tiled);
      });
      await setBackend('cpu');
    });
  });
