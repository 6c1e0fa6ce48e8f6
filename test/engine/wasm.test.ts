import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { matMul, memory, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { useEngine } from '../../src/engine/engine.js';
import { normal, randomStream } from '../../src/random/random-stream.js';
import { root } from '../recipes/run.js';

const sizes = fc.integer({ min: 1, max: 9 });
const cases = fc.record({
  batch: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 2 }),
  rows: sizes,
  inner: sizes,
  columns: sizes,
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  seed: fc.nat(),
});

const script = `
  import { useEngine } from './dist/src/engine/engine.js';
  import { matMul, randomUniform } from '@tensorflow/tfjs-core';
  const { threads } = await useEngine('wasm', { threads: Number(process.argv[1]) });
  const product = matMul(randomUniform([64, 48], 0, 1, 'float32', 3), randomUniform([48, 64], 0, 1, 'float32', 4));
  console.log(JSON.stringify({ threads, values: [...product.dataSync()] }));
`;

describe('wasm', () => {
  after(() => useEngine('cpu'));

  it('runs with threads, to the same numbers, and they do not keep the process alive', () => {
    const [one, two] = ['1', '2'].map((threads) => {
      const args = ['--input-type=module', '-e', script, threads];
      const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
      assert.equal(status, 0, stderr);
      return JSON.parse(stdout) as { threads: number; values: number[] };
    });
    assert.deepEqual([one!.threads, two!.threads], [1, 2]);
    assert.deepEqual(two!.values, one!.values);
  });

  it('multiplies as the cpu engine does, transposed and in batches, and frees what it makes', async () => {
    const drawn = fc.sample(cases, { numRuns: 60, seed: 5 });
    const products = async (engine: 'cpu' | 'wasm') => {
      await useEngine(engine);
      return drawn.map(({ batch, rows, inner, columns, transposeA, transposeB, seed }) => {
        const random = randomStream(seed, 'factors');
        const make = (...shape: number[]): Tensor => {
          const size = shape.reduce((x, y) => x * y, 1);
          return tensor(
            Float32Array.from({ length: size }, () => normal(random)),
            shape,
          );
        };
        const before = memory().numDataBuffers;
        const [shape, values] = tidy(() => {
          const a = transposeA ? make(...batch, inner, rows) : make(...batch, rows, inner);
          const b = transposeB ? make(...batch, columns, inner) : make(...batch, inner, columns);
          const c = matMul(a, b, transposeA, transposeB);
          return [c.shape, c.dataSync()] as const;
        }) as unknown as readonly [number[], Float32Array];
        assert.equal(memory().numDataBuffers, before);
        return { shape, values: [...values] };
      });
    };
    const [expected, got] = [await products('cpu'), await products('wasm')];
    got.forEach(({ shape, values }, i) => {
      assert.deepEqual(shape, expected[i]!.shape);
      values.forEach((value, k) => {
        const want = expected[i]!.values[k]!;
        assert(Math.abs(value - want) < 1e-5 * (1 + Math.abs(want)), `${value} for ${want}`);
      });
    });
  });
});
