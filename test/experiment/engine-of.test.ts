import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { hasBinding } from '../../src/engine/tfjs-node.js';
import { engineOf } from '../../src/experiment/engine-of.js';

describe('engineOf', () => {
  const addon = process.env['MILLRACE_TORCH_ADDON'];
  afterEach(() => {
    if (addon === undefined) delete process.env['MILLRACE_TORCH_ADDON'];
    else process.env['MILLRACE_TORCH_ADDON'] = addon;
  });

  it('takes --device as another word for the engine, and cpu for the processor', () => {
    assert.deepEqual(engineOf({ engine: 'auto', precision: 'f32', threads: 1 }), [
      'auto',
      { precision: 'f32', threads: 1 },
    ]);
    assert.deepEqual(engineOf({ engine: 'auto', device: 'cpu' }), ['auto', { device: 'cpu' }]);
    assert.deepEqual(engineOf({ engine: 'torch', device: 'cpu' }), ['torch', { device: 'cpu' }]);
    assert.deepEqual(engineOf({ engine: 'auto', device: 'wasm' }), ['wasm', {}]);
    assert.deepEqual(engineOf({ engine: 'wasm', device: 'wasm' }), ['wasm', {}]);
    assert.deepEqual(engineOf({ engine: 'auto', device: 'torch' }), ['torch', {}]);
  });

  it('refuses a --device and an --engine that differ', () => {
    for (const [engine, device] of [
      ['wasm', 'onednn'],
      ['torch', 'wasm'],
    ] as const)
      assert.throws(() => engineOf({ engine, device }), {
        name: 'UserError',
        message: `--device ${device}: expected the same as --engine ${engine}; leave one of them out`,
      });
  });

  it('takes a card for a device of the torch engine where that is built', () => {
    process.env['MILLRACE_TORCH_ADDON'] = fileURLToPath(import.meta.url);
    for (const device of ['cuda', 'cuda:1', 'mps', 'xpu']) {
      assert.deepEqual(engineOf({ engine: 'auto', device }), ['torch', { device }]);
      assert.deepEqual(engineOf({ engine: 'torch', device }), ['torch', { device }]);
    }
    assert.throws(
      () => engineOf({ engine: 'onednn', device: 'cuda' }),
      /expected the same as --engine onednn/,
    );
  });

  it('says what is missing where no engine for a card is installed', function () {
    if (hasBinding('@tensorflow/tfjs-node-gpu')) {
      console.log('      skipped: @tensorflow/tfjs-node-gpu is installed, with its binding');
      this.skip();
    }
    process.env['MILLRACE_TORCH_ADDON'] = '/nowhere/torch.node';
    assert.throws(() => engineOf({ engine: 'auto', device: 'cuda' }), {
      name: 'UserError',
      message:
        /^--device cuda: expected an engine .* got none; pip install torch && npm run build:torch, or leave/,
    });
  });
});
