import assert from 'node:assert/strict';
import '../../src/engine/tfjs.js';
import { mul, type Scalar, setBackend, sum, tensor, tidy, zeros } from '@tensorflow/tfjs-core';
import { type Frozen, linears } from '../../src/engine/ops/linears.js';
import { valueAndGradients } from '../../src/engine/value-and-gradients.js';
import { randomStream } from '../../src/random/random-stream.js';
import { integerProduct } from './integer-product.js';
import { needOnednn, runningBackend, startOnednn } from './onednn.js';

const random = randomStream(1, 'integers');
/** Numbers of different sizes, so that no row is like another. */
const drawn = (count: number) =>
  Float32Array.from({ length: count }, () => (random() - 0.5) * 4 ** (random() * 3));

/** The nearest number of bf16, ties to even. */
function toBf16(x: number): number {
  const [bits] = new Uint32Array(Float32Array.of(x).buffer) as unknown as [number];
  const rounded = (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(Int32Array.of(rounded).buffer)[0]!;
}

/** y = x·W of x [rows, k] and W [k, n]. */
function product(x: Float32Array, weight: Float32Array, k: number, frozen: Frozen = true): Float32Array {
  return tidy(() => {
    const [w, input] = [tensor(weight, [k, weight.length / k]), tensor(x, [x.length / k, k])];
    return linears([{ x: input, weight: w, frozen }])[0]!
      .dataSync()
      .slice() as Float32Array;
  });
}

/** dx = dy·Wᵀ of dy [rows, n] and W [k, n]. */
function inputGradient(
  dy: Float32Array,
  weight: Float32Array,
  k: number,
  frozen: Frozen = true,
): Float32Array {
  return tidy(() => {
    const n = weight.length / k;
    const rows = dy.length / n;
    const [w, slopes] = [tensor(weight, [k, n]), tensor(dy, [rows, n])];
    const x = zeros([rows, k]);
    const loss = () => sum(mul(linears([{ x, weight: w, frozen }])[0]!, slopes)) as Scalar;
    return valueAndGradients(loss, [x]).gradients[0]!.dataSync().slice() as Float32Array;
  });
}

function transposed(weight: Float32Array, k: number): Float32Array {
  const n = weight.length / k;
  return Float32Array.from(weight, (_, i) => weight[(i % k) * n + Math.floor(i / k)]!);
}

/** Rows, inner size and columns: single ones, those around tiles and blocks, and those of a model. */
const SHAPES: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [1, 3, 2],
  [5, 7, 33],
  [11, 63, 15],
  [12, 64, 32],
  [13, 65, 31],
  [25, 130, 70],
  [31, 255, 33],
  [32, 256, 64],
  [33, 257, 65],
  [197, 192, 576],
  [40, 769, 65],
  ...Array.from(
    { length: 12 },
    () => [60, 300, 100].map((most) => 1 + Math.floor(random() * most)) as [number, number, number],
  ),
];

describe('products of frozen weights in integers', () => {
  before(needOnednn);
  before(async function () {
    const isa = process.env.MILLRACE_ONEDNN_ISA;
    await startOnednn('f32');
    if (!isa || runningBackend().addon.about().integerIsa === isa) return;
    console.log(`      skipped: this processor or the compiler has no ${isa}`);
    this.skip();
  });
  after(() => setBackend('cpu'));

  for (const precision of ['int16', 'int8'] as const) {
    /** In f32 but for the integers, so that results are seen to the last bit. */
    const start = async () => {
      await startOnednn(precision);
      const { addon } = runningBackend();
      addon.start(2, false, precision === 'int8' ? 8 : 16);
      return precision === 'int8' ? addon.about().mostOfWeight8 : 4095;
    };
    /** Puts the engine back to what it takes itself to be. */
    afterEach(() => startOnednn('f32'));

    it(`in ${precision}: are those of a scalar reference to the last bit, and so are input gradients`, async () => {
      const most = await start();
      for (const [rows, k, n] of SHAPES) {
        const [x, weight, dy] = [drawn(rows * k), drawn(k * n), drawn(rows * n)];
        const y = integerProduct(precision, most, x, weight, k);
        assert.deepEqual(product(x, weight, k), y, `${rows} × ${k} × ${n}`);
        const dx = integerProduct(precision, most, dy, transposed(weight, k), n);
        assert.deepEqual(inputGradient(dy, weight, k), dx, `gradient of ${rows} × ${k} × ${n}`);
      }
    });

    it(`in ${precision}: biases and the residual are added to results in f32 and in bf16`, async () => {
      const most = await start();
      const { addon } = runningBackend();
      for (const [rows, k, n] of [
        [35, 96, 70],
        [32, 64, 64],
      ] as const) {
        const [x, bias, residual] = [drawn(rows * k).map(toBf16), drawn(n), drawn(rows * n)];
        const weight = drawn(k * n);
        const y = integerProduct(precision, most, x, weight, k);
        const biased = y.map((value, i) => value + bias[i % n]!);
        const map = () => ({
          x: tensor(x, [rows, k]),
          weight: tensor(weight, [k, n]),
          bias: tensor(bias),
          frozen: true,
        });
        const result = (more?: Float32Array) =>
          tidy(() =>
            linears([map()], more && tensor(more, [rows, n]))[0]!
              .dataSync()
              .slice(),
          );
        assert.deepEqual(result(), biased);
        const sums = biased.map((value, i) => value + residual[i]!);
        assert.deepEqual(result(residual), sums);
        addon.start(2, true, precision === 'int8' ? 8 : 16);
        assert.deepEqual(result(), biased.map(toBf16));
        // What is added to the residual stream stays in f32.
        assert.deepEqual(result(residual), sums);
        addon.start(2, false, precision === 'int8' ? 8 : 16);
      }
    });

    it(`in ${precision}: sums of the largest numbers do not overflow`, async () => {
      const most = await start();
      // More than a block of either kind, all of them as large as they can be, of one sign or of alternating ones.
      const k = precision === 'int8' ? 33000 : 4096;
      for (const sign of [() => 1, () => -1, (i: number) => 1 - 2 * (i % 2)]) {
        const x = Float32Array.from({ length: 2 * k }, (_, i) => sign(i));
        const weight = Float32Array.from(
          { length: 3 * k },
          (_, i) => [1, -1, sign(Math.floor(i / 3))][i % 3]!,
        );
        assert.deepEqual(product(x, weight, k), integerProduct(precision, most, x, weight, k));
      }
    });

    it(`in ${precision}: are close to the products themselves`, async () => {
      await start();
      const [x, weight] = [drawn(64 * 256), drawn(256 * 96)];
      const rounded = product(x, weight, 256);
      const exact = product(x, weight, 256, false);
      const size = (a: Float32Array) => Math.hypot(...a);
      const error = size(rounded.map((value, i) => value - exact[i]!)) / size(exact);
      const [least, largest] = precision === 'int8' ? [1e-3, 3e-2] : [1e-5, 1e-3];
      assert.ok(error > least && error < largest, `a relative error of ${error}`);
    });

    it(`in ${precision}: rows of zeros, tiny rows and rows that are not finite keep to themselves`, async () => {
      await start();
      const k = 37;
      const rows = [0, 1e-38, Number.NaN, Number.POSITIVE_INFINITY, 1].map((value) =>
        Float32Array.from({ length: k }, (_, i) => (i === 5 ? value : value === 1 ? 1 : 0)),
      );
      const x = Float32Array.from(rows.flatMap((row) => [...row]));
      const y = product(x, new Float32Array(k).fill(0.5), k);
      assert.deepEqual([...y], [0, 0, Number.NaN, Number.NaN, k / 2]);
    });

    it(`in ${precision}: a weight that trains is not rounded`, async () => {
      await startOnednn('f32');
      const [x, weight] = [drawn(7 * 40), drawn(40 * 9)];
      const exact = product(x, weight, 40, false);
      await start();
      assert.deepEqual(product(x, weight, 40, false), exact);
      assert.notDeepEqual(product(x, weight, 40), exact);
    });
  }

  describe('in int8, of weights that are to be in int16', () => {
    let most: number;
    beforeEach(async () => {
      await startOnednn('int8');
      const { addon } = runningBackend();
      addon.start(2, false, 8);
      most = addon.about().mostOfWeight8;
    });
    afterEach(() => startOnednn('f32'));

    it('are those of int16 to the last bit, forward and backward', () => {
      for (const [rows, k, n] of SHAPES.slice(0, 12)) {
        const [x, weight, dy] = [drawn(rows * k), drawn(k * n), drawn(rows * n)];
        assert.deepEqual(product(x, weight, k, 'int16'), integerProduct('int16', 4095, x, weight, k));
        const dx = integerProduct('int16', 4095, dy, transposed(weight, k), n);
        assert.deepEqual(inputGradient(dy, weight, k, 'int16'), dx, `gradient of ${rows} × ${k} × ${n}`);
      }
    });

    it('leave those beside them, of the same input, in int8', () => {
      const [rows, k, n] = [40, 96, 70];
      const [x, ...weights] = [drawn(rows * k), drawn(k * n), drawn(k * n), drawn(k * n), drawn(k * n)];
      const frozen = ['int16', true, true, 'int16'] as const;
      const results = tidy(() => {
        const input = tensor(x, [rows, k]);
        const maps = weights.map((weight, i) => ({
          x: input,
          weight: tensor(weight, [k, n]),
          frozen: frozen[i]!,
        }));
        return linears(maps).map((y) => y.dataSync().slice());
      });
      const expected = weights.map((weight, i) =>
        frozen[i] === 'int16'
          ? integerProduct('int16', 4095, x, weight, k)
          : integerProduct('int8', most, x, weight, k),
      );
      assert.deepEqual(results, expected);
    });

    it('hold one kind of integers at a time', () => {
      const side = 256;
      const { addon } = runningBackend();
      const [w, x] = [tensor(drawn(side * side), [side, side]), tensor(drawn(side), [1, side])];
      const inUse = (frozen?: Frozen) => {
        if (frozen) tidy(() => void linears([{ x, weight: w, frozen }]));
        addon.drain();
        return addon.memory().bytesInUse;
      };
      const plain = inUse();
      const [narrow, wide, again] = [inUse(true), inUse('int16'), inUse(true)];
      w.dispose();
      x.dispose();
      assert.ok(narrow - plain >= side * side && wide - plain >= 2 * side * side);
      assert.ok(wide - plain < 2.5 * side * side, `${wide - plain} bytes`);
      assert.equal(again, narrow);
    });

    it('are in f32 where the engine has no integers', async () => {
      const [x, weight] = [drawn(7 * 40), drawn(40 * 9)];
      await startOnednn('f32');
      assert.deepEqual(product(x, weight, 40, 'int16'), product(x, weight, 40, false));
    });
  });
});
