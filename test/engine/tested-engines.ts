import { existsSync } from 'node:fs';
import { setBackend } from '@tensorflow/tfjs-core';
import { type EngineOptions, useEngine } from '../../src/engine/engine.js';
import type { Precision } from '../../src/engine/numbers/precision.js';

/** The engines that are compared with cpu, with the precisions that each has. */
export const TESTED = {
  wasm: ['f32'],
  onednn: ['f32', 'bf16', 'int16', 'int8'],
  torch: ['f32', 'bf16', 'f16'],
  tensorflow: ['f32'],
  webgpu: ['f32'],
} as const satisfies Record<string, readonly Precision[]>;

export type TestedEngine = keyof typeof TESTED;

export const TESTED_ENGINES = Object.keys(TESTED) as TestedEngine[];

/** Vulkan on the processor, which comes with Debian's chromium: what webgpu is tested on, unless VK_ICD_FILENAMES names a card. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(SWIFTSHADER)) process.env['VK_ICD_FILENAMES'] ??= SWIFTSHADER;

/** What an error says where an engine cannot run on this machine. */
const ABSENT = /expected it to be installed|expected a card with a driver/;

/** Skips a suite where the engine is not installed, and says what installs it; `skipped` is called before. */
export function need(engine: TestedEngine, skipped = () => {}) {
  return async function (this: Mocha.Context): Promise<void> {
    try {
      await start(engine);
    } catch (error) {
      // By its name: an engine that is loaded at run time may have a class of its own under tsx.
      const { name, message } = error as Error;
      if (!(name === 'UserError' && ABSENT.test(message))) throw error;
      console.log(`      skipped: ${message}`);
      skipped();
      this.skip();
    } finally {
      await setBackend('cpu');
    }
  };
}

/** Runs what follows on the engine, on the processor. */
export async function start(engine: TestedEngine, options: EngineOptions = {}): Promise<void> {
  await useEngine(engine, { ...options, ...(engine === 'torch' && { device: 'cpu' }) });
  await setBackend(engine);
}
