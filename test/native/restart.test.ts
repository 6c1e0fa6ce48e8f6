import assert from 'node:assert/strict';
import '../../src/engine/tfjs.js';
import { dispose, ones, removeBackend, setBackend, tensor } from '@tensorflow/tfjs-core';
import { linear } from '../../src/engine/ops/linear.js';
import { needOnednn, startOnednn } from './onednn.js';

describe('the onednn engine, started again', () => {
  before(needOnednn);
  after(() => setBackend('cpu'));

  it('with another precision or other threads, keeps every tensor', async () => {
    await startOnednn('f32');
    const a = tensor([1, 2, 3]);
    await startOnednn('bf16', 1);
    const b = tensor([9, 9, 9]);
    assert.deepEqual([...a.dataSync()], [1, 2, 3]);
    a.dispose();
    assert.deepEqual([...b.dataSync()], [9, 9, 9]);
    b.dispose();
  });

  it('computes with tensors from before', async () => {
    await startOnednn('bf16');
    const x = ones([2, 128]);
    const weight = ones([128, 128]);
    const y = linear(x, weight);
    await startOnednn('f32');
    const z = linear(y, weight);
    assert.deepEqual(new Set(z.dataSync()), new Set([128 ** 2]));
    dispose([x, weight, y, z]);
  });

  it('after its backend was removed, does not mistake new tensors for old ones', async () => {
    await startOnednn('f32');
    const a = tensor([1, 2, 3]);
    removeBackend('onednn');
    await startOnednn('f32');
    const b = tensor([9, 9, 9]);
    assert.deepEqual([...a.dataSync()], [1, 2, 3]);
    a.dispose();
    assert.deepEqual([...b.dataSync()], [9, 9, 9]);
    b.dispose();
  });
});
