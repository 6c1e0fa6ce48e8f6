import { findBackend, type KernelBackend, setBackend } from '@tensorflow/tfjs-core';
import { type EngineOptions, useEngine } from '../../src/engine/engine.js';
import { addonPath } from '../../src/engine/onednn/addon.js';
import { torchAddonPath } from '../../src/engine/torch/addon.js';

/** The engines whose addons this package builds. */
export type OwnEngine = 'onednn' | 'torch';

const ADDONS = {
  onednn: { path: addonPath, build: 'npm run build:native' },
  torch: { path: torchAddonPath, build: 'npm run build:torch' },
};

/** Skips a suite where the engine's addon is not built, and says so. */
export function need(engine: OwnEngine) {
  return function (this: Mocha.Context): void {
    const { path, build } = ADDONS[engine];
    if (path()) return;
    console.log(`      skipped: the ${engine} addon is not built; ${build}`);
    this.skip();
  };
}

/** Runs what follows on the engine. */
export async function start(engine: OwnEngine, options: EngineOptions): Promise<void> {
  await useEngine(engine, { ...options, ...(engine === 'torch' && { device: 'cpu' }) });
  await setBackend(engine);
}

/** How often each kernel that the engine lacks has run on the cpu backend. */
export function fallbackCalls(engine: OwnEngine): Map<string, number> {
  return (findBackend(engine) as KernelBackend & { readonly fallbackCalls: Map<string, number> })
    .fallbackCalls;
}
