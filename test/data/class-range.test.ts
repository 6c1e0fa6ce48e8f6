import assert from 'node:assert/strict';
import { reshape, type Tensor, tensor } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { classRange, withClassRange } from '../../src/data/class-range.js';
import { targetTensor } from '../../src/data/target-rows.js';
import { IGNORE_INDEX } from '../../src/data/types.js';
import { maskTensorOf } from '../../src/tasks/segmentation/mask-tensor.js';

const unread = (masks: Tensor): Tensor =>
  Object.assign(masks, { dataSync: () => assert.fail('expected no read of the engine') });

describe('classRange', () => {
  it('is the smallest and the largest class beside the ignored ones', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -3, max: 255 }), { minLength: 1 }), (ids) => {
        const masks = tensor(ids, [ids.length], 'int32');
        const range = classRange(masks);
        masks.dispose();
        const kept = ids.filter((id) => id !== IGNORE_INDEX);
        assert.deepEqual(range, { smallest: Math.min(...kept), largest: Math.max(...kept) });
      }),
    );
  });

  it('is NaN where a mask is', () => {
    const masks = tensor([0, NaN, 2]);
    assert.deepEqual(classRange(masks), { smallest: NaN, largest: NaN });
    masks.dispose();
  });

  it('is that of ids whose memory the tensor takes over', () => {
    const ids = Int32Array.of(7, IGNORE_INDEX, 2);
    const masks = withClassRange(ids, () =>
      tensor(structuredClone(ids, { transfer: [ids.buffer] }), [3], 'int32'),
    );
    assert.equal(ids.length, 0);
    assert.deepEqual(classRange(masks), { smallest: 2, largest: 7 });
    masks.dispose();
  });

  it('reads no tensor that is made of numbers, nor a view of it', () => {
    const size = { width: 2, height: 1 };
    const masks = unread(maskTensorOf([size, size], Int32Array.of(1, IGNORE_INDEX, 2, 1)));
    assert.deepEqual(classRange(masks), { smallest: 1, largest: 2 });
    const view = unread(reshape(masks, [4]));
    assert.deepEqual(classRange(view), { smallest: 1, largest: 2 });
    const rows = unread(targetTensor({ shape: [1, 2] }, [Uint8Array.of(0, 1), Uint8Array.of(3, 0)]));
    assert.deepEqual(classRange(rows), { smallest: 0, largest: 3 });
    for (const each of [masks, view, rows]) each.dispose();
  });
});
