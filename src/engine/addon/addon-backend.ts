import type { BackendValues, DataId, DataType, TensorInfo } from '@tensorflow/tfjs-core';
import { DataStorage, engine, KernelBackend } from '../../base/tfjs-core.js';
import { numbersOf } from '../numbers/typed-numbers.js';

/** The location of a tensor's numbers: in the addon, or, for strings, here. */
interface Stored {
  readonly id: number;
  readonly dtype: DataType;
  readonly strings?: Uint8Array[];
  refCount: number;
}

/** The part of an addon that holds tensors by number. */
export interface TensorAddon {
  free(id: number): void;
  read(id: number): Promise<Float32Array | Int32Array | Uint8Array>;
  readSync(id: number): Float32Array | Int32Array | Uint8Array;
  memory(): { readonly bytesInUse: number };
  /**
   * An array in the engine's own memory, whose numbers are of no account at first. A tensor that is made of it takes the
   * memory over instead of copying it, and the array is then empty. Left out where the engine has no such memory;
   * undefined where the system does not allow it.
   */
  allocate?(type: 'float32' | 'int32', length: number): Float32Array | Int32Array | undefined;
}

/**
 * A tfjs backend whose tensors an addon holds by number: this is their bookkeeping. An engine adds how its kernels run, and
 * how numbers get into the addon.
 */
export abstract class AddonBackend<A extends TensorAddon> extends KernelBackend {
  readonly data: DataStorage<Stored>;

  constructor(
    private readonly name: string,
    readonly addon: A,
  ) {
    super();
    this.data = new DataStorage(this, engine());
  }

  /** Writes numbers into the addon. @returns their tensor's number there */
  protected abstract put(numbers: ReturnType<typeof numbersOf>, shape: readonly number[]): number;

  /** The error of a read, in words for a person. */
  protected explained(error: Error): Error {
    return error;
  }

  /** A tensor of tfjs's for one of the addon's. */
  protected tensorOf(id: number, shape: readonly number[], dtype: DataType): TensorInfo {
    const dataId = {};
    this.data.set(dataId, { id, dtype, refCount: 1 });
    return { dataId, shape: [...shape], dtype };
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
    if (dtype === 'complex64') throw new Error(`the ${this.name} engine has no complex numbers`);
    if (dtype === 'string') {
      this.data.set(dataId, { id: -1, dtype, strings: values as Uint8Array[], refCount });
      return;
    }
    const id = this.put(numbersOf(values as ArrayLike<number>, dtype), shape);
    this.data.set(dataId, { id, dtype, refCount });
  }

  override async read(dataId: DataId): Promise<BackendValues> {
    const { id, strings } = this.data.get(dataId);
    try {
      return strings ?? (await this.addon.read(id));
    } catch (error) {
      throw this.explained(error as Error);
    }
  }

  override readSync(dataId: DataId): BackendValues {
    const { id, strings } = this.data.get(dataId);
    try {
      return strings ?? this.addon.readSync(id);
    } catch (error) {
      throw this.explained(error as Error);
    }
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
