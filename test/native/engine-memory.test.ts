import assert from 'node:assert/strict';
import '../../src/engine/tfjs.js';
import { setBackend, tensor1d, zeros } from '@tensorflow/tfjs-core';
import { engineMemory } from '../../src/engine/engine-memory.js';
import { checkClasses } from '../../src/tasks/segmentation/losses/check-classes.js';
import { maskTensorOf } from '../../src/tasks/segmentation/mask-tensor.js';
import { inProcess, needOnednn, runningBackend, startOnednn } from './onednn.js';

describe('memory of the onednn engine that JavaScript fills', () => {
  before(needOnednn);
  beforeEach(() => startOnednn('f32'));
  after(() => setBackend('cpu'));

  const bytesInUse = () => {
    const { addon } = runningBackend();
    addon.drain();
    return addon.memory().bytesInUse;
  };

  it('becomes that of a tensor, without a copy: the array is empty, and no more is in use', async () => {
    const before = bytesInUse();
    const floats = engineMemory(Float32Array, 50_000)!;
    floats.forEach((_, i) => {
      floats[i] = i / 2;
    });
    assert.equal(bytesInUse() - before, 200_000);
    const x = tensor1d(floats, 'float32');
    assert.equal(floats.length, 0);
    assert.equal(bytesInUse() - before, 200_000);
    assert.equal((await x.data())[49_999], 24_999.5);
    x.dispose();
  });

  it('is taken over as whole numbers, too, and copied where it is a part of an array', () => {
    const whole = engineMemory(Int32Array, 4)!.fill(7);
    const part = engineMemory(Int32Array, 4)!.fill(3);
    const [x, y] = [tensor1d(whole, 'int32'), tensor1d(part.subarray(1), 'int32')];
    assert.deepEqual([whole.length, part.length], [0, 4]);
    part.fill(9);
    assert.deepEqual(
      [[...x.dataSync()], [...y.dataSync()]],
      [
        [7, 7, 7, 7],
        [3, 3, 3],
      ],
    );
    x.dispose();
    y.dispose();
  });

  it('holds masks whose wrong classes are refused, although the array is empty', () => {
    const ids = engineMemory(Int32Array, 4)!;
    ids.set([0, 5, 1, 2]);
    const masks = maskTensorOf([{ width: 2, height: 2 }], ids);
    assert.equal(ids.length, 0);
    const logits = zeros([1, 2, 2, 3]);
    assert.throws(() => checkClasses(logits, masks), /expected the classes 0 to 2 of the model.*got 5/);
    for (const each of [masks, logits]) each.dispose();
  });

  it('is an ordinary array to a tensor of another engine, and there is none for no numbers', async () => {
    const floats = engineMemory(Float32Array, 3)!.fill(2);
    assert.equal(engineMemory(Float32Array, 0), undefined);
    await setBackend('cpu');
    assert.equal(engineMemory(Float32Array, 3), undefined);
    const x = tensor1d(floats);
    assert.deepEqual([...x.dataSync()], [2, 2, 2]);
    x.dispose();
  });

  it('has the collector look through the heap only where more than 256 MiB are not taken over', () => {
    // In a process of its own: how much V8 lets grow depends on the heap that it has.
    const { takenOver, dropped, most } = inProcess<Record<'takenOver' | 'dropped' | 'most', number>>(
      `import './test/native/filled-memory.ts'`,
    );
    assert.ok(takenOver <= 1, `${takenOver} collections`);
    assert.ok(dropped >= 1);
    assert.ok(most < 2 ** 30, `${most} bytes in use`);
  });

  it('is refused for sizes and types that there are not', () => {
    const allocate = runningBackend().addon.allocate!.bind(runningBackend().addon) as (
      ...given: unknown[]
    ) => unknown;
    for (const given of [
      ['float32', 0],
      ['float32', 1.5],
      ['int8', 1],
      ['float32', Number.NaN],
      ['float32', 2 ** 40],
      [],
    ])
      assert.throws(() => allocate(...given), /expected/);
  });
});
