import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { getBackend, setBackend } from '@tensorflow/tfjs-core';
import { engines, useEngine } from '../../src/engine/engine.js';

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
    engines.register('absent', { install: 'npm install absent', start: async () => undefined });
    await assert.rejects(
      useEngine('absent'),
      /^UserError: --engine absent: expected it to be installed, got nothing that loads; install it: npm install absent$/,
    );
    assert.match(
      engines.get('webgpu').install,
      /^npm install webgpu@[\d.]+ @tensorflow\/tfjs-backend-webgpu@[\d.]+$/,
    );
  });

  it('refuses zero threads and more threads than cores, on every engine', async () => {
    for (const name of ['onednn', 'wasm', 'cpu'] as const)
      for (const threads of [0, -1, 1.5, Number.NaN, availableParallelism() + 1, 100_000])
        await assert.rejects(
          useEngine(name, { threads }),
          new RegExp(
            `^UserError: --threads: expected an integer from 1 to \\d+, this machine's cores, got ${threads}$`,
          ),
        );
  });

  it('refuses a precision that it does not know', async () => {
    await assert.rejects(
      useEngine('cpu', { precision: 'f8' as 'f32' }),
      /^UserError: --precision: expected f32, tf32, bf16, f16, int16, int8, got f8$/,
    );
  });

  it('refuses a precision that an engine lacks, and says which engine has it', async () => {
    for (const name of ['onednn', 'tensorflow', 'webgpu', 'wasm', 'cpu'] as const)
      await assert.rejects(
        useEngine(name, { precision: 'f16' }),
        new RegExp(
          `^UserError: --precision f16: expected f32.* on the ${name} engine, got f16; f16 is for --engine torch$`,
        ),
      );
    await assert.rejects(
      useEngine('wasm', { precision: 'bf16' }),
      /expected f32 on the wasm engine, got bf16; bf16 is for --engine onednn and torch$/,
    );
  });

  it('says how an engine is built that this package could have', async () => {
    const addon = process.env['MILLRACE_ONEDNN_ADDON'];
    process.env['MILLRACE_ONEDNN_ADDON'] = '/nowhere/onednn.node';
    const { name, why } = await useEngine('auto');
    await assert.rejects(useEngine('onednn'), /install it: .* npm run build:native/);
    if (addon === undefined) delete process.env['MILLRACE_ONEDNN_ADDON'];
    else process.env['MILLRACE_ONEDNN_ADDON'] = addon;
    assert.notEqual(name, 'onednn');
    assert.match(why, /^the fastest here; not installed: onednn \(build it: npm run build:native\)/);
  });

  it('chooses an engine for auto, and says why', async () => {
    const { name, why } = await useEngine('auto');
    assert.ok(['onednn', 'tensorflow', 'wasm'].includes(name));
    assert.match(why, /the fastest/);
  });
});
