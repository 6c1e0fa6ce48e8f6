import assert from 'node:assert/strict';
import { labelTensor, softLabelTensor } from '../../../src/tasks/classification/label-tensor.js';

const planOf = (label: number, index = label) => ({
  item: { stem: `${index}`, image: '', className: `${label}`, label },
  seed: 1,
  epoch: 1,
  index,
});
const sampleOf = (label: number, parts?: readonly (readonly [label: number, share: number])[]) => ({
  plan: planOf(label),
  width: 1,
  height: 1,
  image: new Float32Array(3),
  ...(parts && { parts: parts.map(([part, share], i) => ({ plan: planOf(part, i), share })) }),
});

describe('the targets of labelled pictures', () => {
  it('are each class’s share, which adds up where parts have one label', () => {
    const samples = [
      sampleOf(2),
      sampleOf(0, [
        [0, 0.5],
        [1, 0.25],
        [0, 0.25],
      ]),
    ];
    const shares = softLabelTensor(3)(samples);
    assert.deepEqual(shares.shape, [2, 3]);
    assert.deepEqual([...shares.dataSync()], [0, 0, 1, 0.75, 0.25, 0]);
    shares.dispose();
  });

  it('are labels where samples have one each, and refuse those that have several', () => {
    const labels = labelTensor([
      sampleOf(2),
      sampleOf(1, [
        [1, 0.5],
        [1, 0.5],
      ]),
    ]);
    assert.deepEqual([...labels.dataSync()], [2, 1]);
    labels.dispose();
    assert.throws(
      () =>
        labelTensor([
          sampleOf(2),
          sampleOf(0, [
            [0, 0.5],
            [1, 0.5],
          ]),
        ]),
      /expected samples of one label each, got "0" mixed with others; use softLabelTensor\(classes\)/,
    );
    assert.throws(() => softLabelTensor(2)([sampleOf(2)]), /expected the classes 0 to 1, got 2/);
  });
});
