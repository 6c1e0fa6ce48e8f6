import assert from 'node:assert/strict';
import { installedVersion } from '../../src/base/package.js';
import { engineOf } from '../../src/experiment/engine-of.js';

describe('engineOf', () => {
  it('takes --device as another word for the engine, and cpu for the processor', () => {
    assert.equal(engineOf({ engine: 'auto' }), 'auto');
    assert.equal(engineOf({ engine: 'auto', device: 'cpu' }), 'auto');
    assert.equal(engineOf({ engine: 'wasm', device: 'cpu' }), 'wasm');
    assert.equal(engineOf({ engine: 'auto', device: 'wasm' }), 'wasm');
    assert.equal(engineOf({ engine: 'wasm', device: 'wasm' }), 'wasm');
  });

  it('refuses two that differ', () =>
    assert.throws(() => engineOf({ engine: 'wasm', device: 'onednn' }), {
      name: 'UserError',
      message: '--device onednn: expected the same as --engine wasm; leave one of them out',
    }));

  it('takes cuda where an engine for it is installed, and says which one is missing', () => {
    if (installedVersion('@tensorflow/tfjs-node-gpu')) {
      assert.equal(engineOf({ engine: 'auto', device: 'cuda' }), 'tensorflow');
      return;
    }
    assert.throws(() => engineOf({ engine: 'auto', device: 'cuda' }), {
      name: 'UserError',
      message:
        /^--device cuda: expected an engine .* got none; npm install @tensorflow\/tfjs-node-gpu, or leave/,
    });
  });
});
