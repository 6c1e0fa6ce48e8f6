import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Precision } from '../numbers/precision.js';

/** Numbers as the addon takes and returns them; bool tensors are bytes. */
export type Numbers = Float32Array | Int32Array | Uint8Array;

/** A tensor that a kernel made. */
export interface Made {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: 'float32' | 'int32' | 'bool';
}

/**
 * The native half: LibTorch's tensors by number, and kernels over them by tfjs's names, inputs and attributes.
 *
 * A kernel runs, or is queued on the device, before its call returns; only reading waits for a device. Whatever LibTorch
 * refuses is an error of the call, with the kernel and the shapes of its inputs.
 */
export interface TorchAddon {
  /** LibTorch's version that the addon was built against. */
  readonly version: string;
  readonly kernels: readonly string[];
  /** Names for `start`, the best device first: `cuda:0`, `cuda:1`, `mps`, `xpu:0`, `cpu`. */
  devices(): string[];
  start(device: string, precision: Precision, threads: number): void;
  run(kernel: number, names: readonly string[], ids: readonly number[], attrs: object): Made | Made[];
  write(values: Numbers, shape: readonly number[]): number;
  free(id: number): void;
  read(id: number): Promise<Numbers>;
  readSync(id: number): Numbers;
  memory(): { readonly tensors: number; readonly bytesInUse: number };
}

/**
 * The path of the addon that `npm run build:torch` builds, or MILLRACE_TORCH_ADDON; undefined if it is not built.
 */
export function torchAddonPath(): string | undefined {
  const override = process.env['MILLRACE_TORCH_ADDON'];
  if (override) return existsSync(override) ? override : undefined;
  // The sources and the build in dist/ lie at different depths of the package.
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const path = join(folder, 'native', 'build', 'torch.node');
    if (existsSync(path)) return path;
    if (folder === dirname(folder)) return undefined;
  }
}

/** Whether the addon was built against a LibTorch for graphics cards; known without loading it. */
export function hasAccelerator(): boolean {
  const path = torchAddonPath();
  const about = path && `${path}.json`;
  return !!about && existsSync(about) && JSON.parse(readFileSync(about, 'utf8')).accelerator === true;
}

/**
 * Loads the addon; undefined if it is not built.
 *
 * @throws as `require` does where it does not load, for example when torch was removed since.
 */
export function loadTorchAddon(): TorchAddon | undefined {
  const path = torchAddonPath();
  if (!path) return undefined;
  // How often OpenMP's threads look for work between kernels before they sleep: see docs/notes/onednn.md.
  process.env['GOMP_SPINCOUNT'] ??= '1000';
  return createRequire(import.meta.url)(path) as TorchAddon;
}
