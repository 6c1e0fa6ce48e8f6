import type { BackendValues, DataId, DataType, NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import { DataStorage, engine, KernelBackend } from '../../base/tfjs-core.js';
import type { Precision } from '../numbers/precision.js';
import { numbersOf } from '../numbers/typed-numbers.js';
import type { Made, TorchAddon } from './addon.js';

/** The location of a tensor's numbers: in the addon, or, for strings, here. */
interface Stored {
  readonly id: number;
  readonly dtype: DataType;
  readonly strings?: Uint8Array[];
  refCount: number;
}

/**
 * The tfjs backend over LibTorch: each tensor is one of LibTorch's, by its number in the addon.
 *
 * Kernels are the addon's own, under tfjs's names and with tfjs's attributes, so that none is written here.
 */
export class TorchBackend extends KernelBackend {
  readonly data: DataStorage<Stored>;
  /** What matrix products round their factors to; `register` sets it. */
  precision: Precision = 'f32';

  constructor(readonly addon: TorchAddon) {
    super();
    this.data = new DataStorage(this, engine());
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
    return Array.isArray(results) ? results.map((one) => this.#kept(one)) : this.#kept(results);
  }

  #kept({ id, shape, dtype }: Made): TensorInfo {
    const dataId = {};
    this.data.set(dataId, { id, dtype, refCount: 1 });
    return { dataId, shape, dtype };
  }

  override write(values: BackendValues, shape: number[], dtype: DataType): DataId {
    const dataId = {};
    this.move(dataId, values, shape, dtype, 1);
    return dataId;
  }

  override move(
    dataId: DataId,
    values: BackendValues,
    shape: number[],
    dtype: DataType,
    refCount: number,
  ): void {
    if (dtype === 'complex64') throw new Error('the torch engine has no complex numbers');
    if (dtype === 'string') {
      this.data.set(dataId, { id: -1, dtype, strings: values as Uint8Array[], refCount });
      return;
    }
    const id = this.addon.write(numbersOf(values as ArrayLike<number>, dtype), shape);
    this.data.set(dataId, { id, dtype, refCount });
  }

  override async read(dataId: DataId): Promise<BackendValues> {
    const { id, strings } = this.data.get(dataId);
    return strings ?? this.addon.read(id);
  }

  override readSync(dataId: DataId): BackendValues {
    const { id, strings } = this.data.get(dataId);
    return strings ?? this.addon.readSync(id);
  }

  override refCount(dataId: DataId): number {
    return this.data.has(dataId) ? this.data.get(dataId).refCount : 0;
  }

  override incRef(dataId: DataId): void {
    this.data.get(dataId).refCount++;
  }

  override disposeData(dataId: DataId, force = false): boolean {
    if (!this.data.has(dataId)) return true;
    const stored = this.data.get(dataId);
    stored.refCount--;
    if (!force && stored.refCount > 0) return false;
    if (stored.id >= 0) this.addon.free(stored.id);
    this.data.delete(dataId);
    return true;
  }

  override numDataIds(): number {
    return this.data.numDataIds();
  }

  override memory() {
    return { unreliable: false, ...this.addon.memory() };
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return super.epsilon();
  }

  /** The addon owns every tensor, and its environment frees them when it ends. */
  override dispose(): void {}
}
