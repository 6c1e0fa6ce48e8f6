import assert from 'node:assert/strict';
import '../../src/engine/tfjs.js';
import {
  add,
  dispose,
  engine,
  matMul,
  ones,
  setBackend,
  sum,
  type Tensor2D,
  tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import { UserError } from '../../src/base/errors.js';
import { memoryHint } from '../../src/engine/out-of-memory.js';
import type { WebgpuBackend } from '../../src/engine/webgpu/backend.js';
import { inProcess } from '../native/onednn.js';
import { need, start } from './tested-engines.js';

describe('the webgpu engine', () => {
  before(need('webgpu'));
  beforeEach(() => start('webgpu'));
  after(() => setBackend('cpu'));

  it('reads without an await, as the other engines do, also while another read is under way', async () => {
    const x = tensor(
      Float32Array.from({ length: 5000 }, (_, i) => i),
      [50, 100],
    );
    const y = tidy(() => matMul(x as Tensor2D, ones([100, 3])));
    const reading = y.data();
    const z = add(y, 1);
    assert.equal(z.dataSync()[0], 4951);
    assert.equal((await reading)[0], 4950);
    const flags = tidy(() => x.greater(2500));
    assert.deepEqual([flags.dataSync()[2500], flags.dataSync()[2501]], [0, 1]);
    dispose([x, y, z, flags]);
  });

  it('reads a tensor that is freed meanwhile', async () => {
    const x = tidy(() => add(ones([5000]), 1));
    const reading = x.data();
    x.dispose();
    assert.equal((await reading)[4999], 2);
  });

  it('says that a tensor is too large for the card, in an error that the user can fix', () => {
    const numTensors = engine().memory().numTensors;
    const tooLarge = () => tidy(() => matMul(ones([2 ** 16, 1]), ones([1, 2 ** 15])).dataSync());
    assert.throws(
      tooLarge,
      /^Error: webgpu: out of memory: a tensor of 8192 MiB, where the card takes at most/,
    );
    assert.ok(memoryHint(new Error('webgpu: out of memory: 1'), [8, 224, 224, 3]) instanceof UserError);
    assert.equal(engine().memory().numTensors, numTensors);
    assert.deepEqual([...tidy(() => sum(tensor([1, 2])).dataSync())], [3]);
  });

  it('reports what WebGPU refuses with the next read, and goes on', () => {
    const backend = engine().backend as WebgpuBackend;
    const x = ones([4]);
    const wrong = backend.runWebGPUProgram(
      {
        variableNames: ['x'],
        outputShape: [4],
        shaderKey: 'wrong',
        workgroupSize: [64, 1, 1],
        dispatchLayout: { x: [0] },
        dispatch: [1, 1, 1],
        getUserCode: () => 'fn main(index : i32) { result[index] = nonsense; }',
      },
      [x],
      'float32',
    );
    assert.throws(() => backend.readSync(wrong.dataId), /^Error: webgpu: .*nonsense/s);
    backend.disposeData(wrong.dataId);
    x.dispose();
    assert.deepEqual([...tidy(() => sum(tensor([1, 2])).dataSync())], [3]);
  });

  it('hands NaN and infinities on', () => {
    const x = Float32Array.from({ length: 4096 }, (_, i) => [Number.NaN, Infinity, -Infinity, 1][i % 4]!);
    const y = tidy(() => add(tensor(x), 1).dataSync());
    assert.deepEqual(Array.from(y.slice(0, 4)), [Number.NaN, Infinity, -Infinity, 2]);
  });

  it('computes beside the wasm engine in one process', async () => {
    const a = ones([40, 40]) as Tensor2D;
    const here = matMul(a, a);
    await start('wasm');
    const b = ones([40, 40]) as Tensor2D;
    const there = matMul(b, b);
    await start('webgpu');
    // A tensor of another engine is read from there.
    const both = add(here, there);
    assert.deepEqual(new Set(both.dataSync()), new Set([80]));
    dispose([a, b, here, there, both]);
  });

  it('leaves the globals of Node as they were, and lets the process end', () => {
    const program = `
      import { useEngine } from './src/engine/engine.js';
      const before = [typeof navigator, setImmediate];
      await useEngine('webgpu');
      console.log(JSON.stringify(before[0] === typeof navigator && before[1] === setImmediate));
    `;
    assert.equal(inProcess<boolean>(program), true);
  });
});
