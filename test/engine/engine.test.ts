import assert from 'node:assert/strict';
import { getBackend, setBackend } from '@tensorflow/tfjs-core';
import { useEngine } from '../../src/engine/engine.js';

describe('useEngine', () => {
  afterEach(async () => {
    delete process.env['MILLRACE_ENGINE'];
    await setBackend('cpu');
  });

  it('starts the engine that is asked for', async () => {
    const { name, why, precision } = await useEngine('wasm');
    assert.deepEqual([name, why, precision, getBackend()], ['wasm', 'asked for', 'f32', 'wasm']);
  });

  it('takes MILLRACE_ENGINE for auto', async () => {
    process.env['MILLRACE_ENGINE'] = 'cpu';
    assert.equal((await useEngine('auto')).why, 'MILLRACE_ENGINE asks for it');
    process.env['MILLRACE_ENGINE'] = 'gpu';
    await assert.rejects(useEngine('auto'), /MILLRACE_ENGINE: expected one of .*, got gpu/);
  });

  it('says how to install what is missing', async () => {
    await assert.rejects(
      useEngine('webgpu'),
      /--engine webgpu: .* npm install webgpu @tensorflow\/tfjs-backend-webgpu/,
    );
  });

  it('finds something for auto, and says why', async () => {
    const { name, why } = await useEngine('auto');
    assert.ok(['onednn', 'tensorflow', 'wasm'].includes(name));
    assert.match(why, /the fastest/);
  });
});
