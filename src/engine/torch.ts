import type { TensorInfo } from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.js';
import { sayOnce } from '../base/say.js';
import { findBackend, registerBackend, registerKernel } from '../base/tfjs-core.js';
import { availableCores } from './cores.js';
import type { EngineOptions } from './engine.js';
import { registerFallbacks } from './fallback.js';
import type { Precision } from './numbers/precision.js';
import { loadTorchAddon, type TorchAddon } from './torch/addon.js';
import { TorchBackend } from './torch/backend.js';

/** What the torch engine runs with. */
export interface Torch {
  /** LibTorch's name for it: `cuda:0`, `mps`, `cpu`. */
  readonly device: string;
  readonly precision: Precision;
  readonly threads: number;
}

/**
 * Registers the tfjs backend `torch`, this project's own over LibTorch; undefined if the addon is not built.
 *
 * `device` is by default the best that LibTorch finds. `precision` is f32 by default. In bf16 the products round their
 * factors, frozen weights are rounded once and leave the device, and what trains, statistics and losses stay f32.
 * In tf32, a mode of graphics cards, a processor computes in f32, and a line says so.
 * `threads` are those of the processor, by default its cores. There is one such backend in a process: called again with
 * other options, it goes on with these, and every tensor with it.
 *
 * @throws UserError for a device that LibTorch does not find.
 */
export async function register(options: EngineOptions = {}): Promise<Torch | undefined> {
  const addon = loadTorchAddon();
  if (!addon) return undefined;
  const device = deviceOf(addon, options.device);
  const precision = options.precision ?? 'f32';
  const threads = options.threads ?? availableCores();
  if (precision === 'tf32' && device === 'cpu')
    sayOnce('torch tf32', '--precision tf32: a mode of graphics cards; products on cpu are in f32');
  addon.start(device, precision, threads);
  if (!findBackend('torch')) {
    // Always the same one: it numbers the tensors.
    backend ??= new TorchBackend(addon);
    const found = backend;
    registerBackend('torch', () => found, 4);
    registerKernels(addon);
    registerFallbacks('torch');
  }
  (findBackend('torch') as TorchBackend).precision = precision;
  return { device, precision, threads };
}

let backend: TorchBackend | undefined;

/** The name in full of a device that LibTorch finds; `cuda` is the first of its kind. */
function deviceOf(addon: TorchAddon, asked: string | undefined): string {
  const devices = addon.devices();
  if (asked === undefined) return devices[0]!;
  const found = devices.find((device) => device === asked || device === `${asked}:0`);
  if (found !== undefined) return found;
  throw new UserError(
    `--device ${asked}: expected one that torch ${addon.version} finds, ${devices.join(', ')}; for a graphics card, pip install the torch that is made for it, then npm run build:torch`,
    { device: asked, devices },
  );
}

/** All kernels of the addon, and those that only hand a tensor on. */
function registerKernels(addon: TorchAddon): void {
  addon.kernels.forEach((kernelName, kernel) => {
    registerKernel({
      kernelName,
      backendName: 'torch',
      kernelFunc: ({ inputs, attrs, backend }) =>
        (backend as TorchBackend).run(kernel, inputs as Record<string, TensorInfo>, attrs ?? {}),
    });
  });
  registerKernel({
    kernelName: 'Identity',
    backendName: 'torch',
    kernelFunc: ({ inputs, backend }) => {
      const x = inputs['x'] as TensorInfo;
      (backend as TorchBackend).incRef(x.dataId);
      return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
    },
  });
}
