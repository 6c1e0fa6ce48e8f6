import assert from 'node:assert/strict';
import { otherFilter } from '../../../src/model/vit/resampling.js';

describe('otherFilter', () => {
  it('reads the filter of transformers by its number in Pillow, and that of timm by its name', () => {
    assert.equal(otherFilter({ resample: 3 }, undefined), 'bicubic');
    assert.equal(otherFilter({ resample: 9 }, undefined), 'filter 9');
    assert.equal(otherFilter(undefined, { pretrained_cfg: { interpolation: 'bicubic' } }), 'bicubic');
    assert.equal(otherFilter({ resample: 1 }, { pretrained_cfg: { interpolation: 'bicubic' } }), 'lanczos');
  });

  it('has nothing to say of bilinear, or where no filter is stated', () => {
    assert.equal(otherFilter({ resample: 2 }, { pretrained_cfg: { interpolation: 'bicubic' } }), undefined);
    assert.equal(otherFilter({}, undefined), undefined);
    assert.equal(otherFilter(undefined, { pretrained_cfg: null }), undefined);
  });
});
