import assert from 'node:assert/strict';
import { viewsOf } from '../../src/experiment/cached-trunk.js';

describe('the cached trunk', () => {
  const cacheDir = 'cache';

  it('takes four views of pictures that are augmented, and one of those that nothing changes', () => {
    const views = (augment: string[]) => viewsOf({ cacheDir, trunkCache: 'memory', augment });
    assert.equal(views(['flip']), 4);
    assert.equal(views(['none', 'flip']), 4);
    assert.equal(views(['none']), undefined);
    assert.equal(views([]), undefined);
  });

  it('takes the views that are asked for, and a new one in each epoch without a cache', () => {
    assert.equal(viewsOf({ cacheDir, trunkCache: 'disk', augment: ['flip'], views: 2 }), 2);
    assert.equal(viewsOf({ cacheDir, augment: ['flip'] }), undefined);
  });
});
