import assert from 'node:assert/strict';
import { didYouMean, nearest } from '../../src/base/did-you-mean.js';

describe('nearest', () => {
  const names = ['epochs', 'rank', 'model-name', 'lr'];

  it('finds the name that is meant, and none that is far', () => {
    assert.equal(nearest('epocs', names), 'epochs');
    assert.equal(nearest('MODEL_NMAE', names), 'model-name');
    assert.equal(nearest('r', names), 'lr');
    assert.equal(nearest('', names), undefined);
    assert.equal(nearest('batch-size', names), undefined);
    assert.equal(nearest('epochs--------', names), 'epochs');
  });

  it('does not compare what is longer by more characters than may differ', () => {
    // Compared, a million characters would take hours, and all memory.
    assert.equal(nearest('x'.repeat(1_000_000), names), undefined);
    assert.equal(didYouMean('x'.repeat(1_000_000), names), '');
  });
});
