import { UserError } from '../base/errors.js';
import { findBackend, registerBackend } from '../base/tfjs-core.js';
import { availableCores } from './cores.js';
import type { EngineOptions } from './engine.js';
import { registerFallbacks } from './fallback.js';
import type { Precision } from './numbers/precision.js';
import { loadAddon } from './onednn/addon.js';
import { integersName, OnednnBackend } from './onednn/backend.js';
import './onednn/kernels/elementwise.js';
import './onednn/kernels/fused.js';
import './onednn/kernels/layout.js';
import './onednn/kernels/products.js';
import './onednn/kernels/reduce.js';

/** What the onednn engine runs with. */
export interface Onednn {
  readonly precision: Exclude<Precision, 'tf32' | 'f16'>;
  readonly threads: number;
}

interface OnednnOptions extends EngineOptions {
  readonly precision?: Onednn['precision'];
}

/** The bits of the integers in which a precision multiplies frozen weights. */
const BITS = { f32: 0, bf16: 0, int16: 16, int8: 8 } as const;

/**
 * Registers the tfjs backend `onednn`, this project's own over oneDNN; undefined if the addon is not built.
 *
 * `precision` is bf16 by default where the processor multiplies bf16 faster (AMX, AVX512-BF16), else f32. In int16 the
 * products of frozen weights are computed in integers and all else in f32; in int8 all else is in bf16 where that is
 * the default. `threads`
 * follows the cores that are available; beyond four, one is left to the image decoders. There is one such backend in a
 * process: called again with other options, it goes on with these, and every tensor with it. In bf16 the f32 numbers of
 * frozen weights lie in temporary files, in TMPDIR or else /var/tmp, where there is room.
 */
export async function register(options: OnednnOptions = {}): Promise<Onednn | undefined> {
  const addon = loadAddon();
  if (!addon) return undefined;
  const { fastBf16, kernels } = addon.about();
  const precision = options.precision ?? (fastBf16 ? 'bf16' : 'f32');
  if (BITS[precision] > 0 && integersName(kernels) !== 'bits')
    throw new UserError(
      `--precision ${precision}: expected an addon that is told the integers of each product, got an older one; build it again: npm run build:native`,
      { precision },
    );
  const cores = availableCores();
  const threads = options.threads ?? (cores > 4 ? cores - 1 : cores);
  if (running?.precision !== precision || running.threads !== threads) {
    const narrow = precision === 'bf16' || (precision === 'int8' && fastBf16);
    addon.start(threads, narrow, BITS[precision]);
    running = { precision, threads };
  }
  if (!findBackend('onednn')) {
    // Always the same one: it numbers the tensors.
    backend ??= new OnednnBackend(addon);
    const found = backend;
    registerBackend('onednn', () => found, 4);
    registerFallbacks('onednn');
  }
  (findBackend('onednn') as OnednnBackend).precision = precision;
  return running;
}

let running: Onednn | undefined;
let backend: OnednnBackend | undefined;

/** The running backend, for benchmarks and tests. */
export function onednnBackend(): OnednnBackend {
  const backend = findBackend('onednn');
  if (!(backend instanceof OnednnBackend)) throw new Error('the onednn engine is not running');
  return backend;
}
