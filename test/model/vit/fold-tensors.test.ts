import assert from 'node:assert/strict';
import type { StoredTensor } from '../../../src/files/safetensors-format.js';
import { foldTensors } from '../../../src/model/vit/fold-tensors.js';

const stored = (shape: number[], ...data: number[]): StoredTensor => ({
  dtype: 'F32',
  shape,
  data: Float32Array.from(data),
});

describe('foldTensors', () => {
  it('multiplies what a map gives, weight and bias, by LayerScale', () => {
    const weights = new Map([
      ['layers.0.output.weight', stored([2, 3], 1, 2, 3, 4, 5, 6)],
      ['layers.0.output.bias', stored([2], 7, 8)],
      ['layers.0.scale1', stored([2], 10, 0.5)],
    ]);
    assert.equal(foldTensors(weights), true);
    assert.deepEqual([...weights.keys()], ['layers.0.output.weight', 'layers.0.output.bias']);
    assert.deepEqual([...weights.get('layers.0.output.weight')!.data], [10, 20, 30, 2, 2.5, 3]);
    assert.deepEqual([...weights.get('layers.0.output.bias')!.data], [70, 4]);
  });

  it('makes the distillation token, with its position, a register', () => {
    const weights = new Map([
      ['distillation', stored([1, 1, 2], 1, 2)],
      ['positions', stored([1, 3, 2], 10, 20, 30, 40, 50, 60)],
    ]);
    assert.equal(foldTensors(weights), false);
    assert.deepEqual([...weights.get('registers')!.data], [31, 42]);
    const positions = weights.get('positions')!;
    assert.deepEqual(
      [positions.shape, [...positions.data]],
      [
        [1, 2, 2],
        [10, 20, 50, 60],
      ],
    );
  });

  it('leaves what does not fit, to be refused by its name', () => {
    const weights = new Map([
      ['layers.0.output.weight', stored([2, 1], 1, 2)],
      ['layers.0.output.bias', stored([2], 3, 4)],
      ['layers.0.scale1', stored([3], 1, 1, 1)],
      ['layers.1.scale2', stored([2], 1, 1)],
      ['distillation', stored([1, 1, 2], 1, 2)],
    ]);
    const before = new Map(weights);
    assert.equal(foldTensors(weights), false);
    assert.deepEqual(weights, before);
  });
});
