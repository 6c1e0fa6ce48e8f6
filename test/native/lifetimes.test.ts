import assert from 'node:assert/strict';
import '../../src/engine/tfjs.js';
import {
  fill,
  gather,
  matMul,
  mul,
  ones,
  setBackend,
  sum,
  type Tensor2D,
  tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import { valueAndGradients } from '../../src/engine/value-and-gradients.js';
import { needOnednn, runningBackend, startOnednn } from './onednn.js';

/** What the addon holds once it has caught up. */
function held(): { tensors: number; bytesInUse: number } {
  const { addon } = runningBackend();
  addon.drain();
  const { tensors, bytesInUse } = addon.memory();
  return { tensors, bytesInUse };
}

/** Resident bytes but for JavaScript's heap, which grows as its collector finds time. */
function outsideOfJavaScript(): number {
  const { rss, heapTotal } = process.memoryUsage();
  return rss - heapTotal;
}

describe('tensors of the onednn engine', () => {
  before(needOnednn);
  beforeEach(() => startOnednn('f32'));
  after(() => setBackend('cpu'));

  it('a million small ones, made and freed, leave nothing and keep the process as small as it was', () => {
    const backend = runningBackend();
    const values = new Float32Array(16);
    const make = (count: number) => {
      for (let i = 0; i < count; i++) backend.disposeData(backend.write(values, [16], 'float32'));
      backend.addon.drain();
    };
    make(200_000);
    const before = held();
    const size = outsideOfJavaScript();
    make(800_000);
    assert.deepEqual(held(), before);
    const grown = (outsideOfJavaScript() - size) / 2 ** 20;
    assert.ok(grown < 48, `the process grew by ${grown.toFixed(0)} MB`);
  });

  it('are read after the tensor is freed, from memory that is not used again', async () => {
    const x = tensor(Float32Array.from({ length: 100_000 }, (_, i) => i));
    const reading = x.data();
    x.dispose();
    const values = await reading;
    tidy(() => sum(ones([100_000])).dataSync());
    assert.equal(values[99_999], 99_999);
  });

  it('an error names the kernel and its shapes, frees all, and the engine goes on', async () => {
    const before = held();
    const failing = () =>
      tidy(() => {
        const bad = gather(tensor([1, 2, 3, 4, 5, 6], [3, 2]), tensor([0, 7], [2], 'int32'));
        return sum(mul(bad, 2)).dataSync();
      });
    assert.throws(failing, { message: 'onednn: gather([3, 2], [2]): index 7 is not from 0 to 2' });
    assert.deepEqual(held(), before);
    const bad = tidy(() => gather(tensor([1, 2, 3]), tensor([-1], [1], 'int32')));
    await assert.rejects(bad.data(), /gather\(\[3\], \[1\]\): index -1/);
    bad.dispose();
    assert.deepEqual(held(), before);
    assert.deepEqual([...tidy(() => sum(tensor([1, 2])).dataSync())], [3]);
  });

  it('an error in a backward pass frees what was saved for it', () => {
    const before = held();
    assert.throws(
      () =>
        tidy(() => {
          const x = ones([4, 4]) as Tensor2D;
          valueAndGradients(() => {
            const y = matMul(x, x);
            gather(y, tensor([9], [1], 'int32')).dataSync();
            return sum(y);
          }, [x]);
        }),
      /index 9/,
    );
    assert.deepEqual(held(), before);
  });

  it('too large a tensor is an error, not the end of the process', () => {
    assert.throws(
      () => tidy(() => fill([2 ** 25, 2 ** 25], 1).dataSync()),
      /^Error: onednn: Fill\(\): out of memory$/,
    );
  });

  it('leave the event loop free while kernels run', async () => {
    const x = tidy(() => mul(ones([1024, 1024]), 1e-3) as Tensor2D);
    const product = tidy(() => {
      let y: Tensor2D = x;
      for (let i = 0; i < 8; i++) y = matMul(y, x);
      return y;
    });
    let turns = 0;
    let running = true;
    const turn = () => {
      turns++;
      if (running) setImmediate(turn);
    };
    setImmediate(turn);
    await product.data();
    running = false;
    assert.ok(turns > 2, `the event loop turned ${turns} times`);
    x.dispose();
    product.dispose();
  });
});
