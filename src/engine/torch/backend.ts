import type { NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import { AddonBackend } from '../addon/addon-backend.js';
import type { Precision } from '../numbers/precision.js';
import type { Made, TorchAddon } from './addon.js';

/**
 * The tfjs backend over LibTorch: each tensor is one of LibTorch's, by its number in the addon.
 *
 * Kernels are the addon's own, under tfjs's names and with tfjs's attributes, so that none is written here.
 */
export class TorchBackend extends AddonBackend<TorchAddon> {
  /** What matrix products round their factors to; `register` sets it. */
  precision: Precision = 'f32';

  constructor(addon: TorchAddon) {
    super('torch', addon);
  }

  /** Runs a kernel by its place in the addon's list. */
  run(
    kernel: number,
    inputs: NamedTensorInfoMap | readonly TensorInfo[],
    attrs: object,
  ): TensorInfo | TensorInfo[] {
    const names: string[] = [];
    const ids: number[] = [];
    for (const [name, input] of Object.entries(inputs))
      if (input) {
        names.push(name);
        ids.push(this.data.get(input.dataId).id);
      }
    const results = this.addon.run(kernel, names, ids, attrs);
    const tensorOf = ({ id, shape, dtype }: Made) => this.tensorOf(id, shape, dtype);
    return Array.isArray(results) ? results.map(tensorOf) : tensorOf(results);
  }

  protected override put(numbers: Float32Array | Int32Array | Uint8Array, shape: readonly number[]): number {
    return this.addon.write(numbers, [...shape]);
  }
}
