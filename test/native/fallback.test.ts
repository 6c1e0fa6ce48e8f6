import assert from 'node:assert/strict';
import '../../src/engine/tfjs.js';
import { cumsum, dispose, memory, setBackend, sum, type Tensor, tensor, topk } from '@tensorflow/tfjs-core';
import { fallbackCalls } from '../../src/engine/fallback.js';
import { needOnednn, startOnednn } from './onednn.js';

describe('kernels that the onednn engine lacks', () => {
  before(needOnednn);
  beforeEach(() => startOnednn('f32'));
  after(() => setBackend('cpu'));

  it('run on the cpu backend, with one warning that names the kernel', async () => {
    const warnings: (Error & { detail?: string })[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on('warning', listen);
    const x = tensor([1, 2, 3, 4], [2, 2]);
    const sums = [cumsum(x, 1), cumsum(x, 0)];
    assert.deepEqual(
      sums.map((s) => [...s.dataSync()]),
      [
        [1, 3, 3, 7],
        [1, 2, 4, 6],
      ],
    );
    // What comes back is a tensor of this engine again.
    const total = sum(sums[0]!);
    assert.deepEqual([...total.dataSync()], [14]);
    assert.equal(fallbackCalls('onednn').get('Cumsum'), 2);
    await new Promise(setImmediate);
    process.off('warning', listen);
    assert.deepEqual(
      warnings.map(({ detail }) => detail),
      ['Cumsum'],
    );
    dispose([x, total, ...sums]);
  });

  it('may have several outputs, and leave nothing behind', () => {
    const before = memory();
    const x = tensor([3, 1, 2]);
    const { values, indices } = topk(x, 2) as { values: Tensor; indices: Tensor };
    assert.deepEqual([...values.dataSync()], [3, 2]);
    assert.deepEqual([...indices.dataSync()], [0, 2]);
    dispose([x, values, indices]);
    assert.equal(memory().numBytes, before.numBytes);
  });
});
