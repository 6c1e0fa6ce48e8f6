import {
  type BackendValues,
  type DataId,
  DataStorage,
  type DataType,
  engine,
  KernelBackend,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import type { Addon, Numbers } from './addon.js';

/** Where a tensor's numbers are: in the addon, or, for strings, here. */
interface Stored {
  readonly id: number;
  readonly dtype: DataType;
  readonly strings?: Uint8Array[];
  refCount: number;
}

export interface Output {
  readonly shape: readonly number[];
  readonly dtype: DataType;
}

/** No fewer than the calls that the addon lets wait. */
const REMEMBERED = 16384;

/** The addon's numbers for tensor types. */
export const TYPES: Partial<Record<DataType, number>> = { float32: 0, int32: 1, bool: 2 };

/**
 * The tfjs backend over the addon. Kernels are enqueued and run later, in order; reading waits for them.
 *
 * What `read` and `readSync` return is the tensor's own memory where it is large: do not write to it.
 */
export class OnednnBackend extends KernelBackend {
  readonly data: DataStorage<Stored>;
  /** What matrix products round their factors to; `registerOnednn` sets it. */
  precision: 'f32' | 'bf16' = 'f32';
  /** How often each kernel that this engine lacks has run on the cpu backend. */
  readonly fallbackCalls = new Map<string, number>();
  readonly #kernels: ReadonlyMap<string, number>;
  /** The shapes of the latest calls by their number, for the message should one of them fail. */
  readonly #shapes: (readonly number[])[][] = [];
  #calls = 0;
  #next = 0;

  constructor(readonly addon: Addon) {
    super();
    this.data = new DataStorage(this, engine());
    this.#kernels = new Map(addon.about().kernels.map((name, i) => [name, i]));
  }

  /** Enqueues a kernel of the addon; the outputs are tensors at once, with numbers later. */
  run(
    kernel: string,
    inputs: readonly (TensorInfo | undefined)[],
    outputs: readonly Output[],
    ints: readonly number[] = [],
    floats: readonly number[] = [],
  ): TensorInfo[] {
    const index = this.#kernels.get(kernel);
    if (index === undefined) throw new Error(`the addon has no kernel ${kernel}; run npm run build:native`);
    const ins = inputs.map((input) => (input ? this.data.get(input.dataId).id : -1));
    const infos = outputs.map(({ shape, dtype }) => {
      const dataId = {};
      this.data.set(dataId, { id: this.#next++, dtype, refCount: 1 });
      return { dataId, shape: [...shape], dtype };
    });
    const outs = infos.map(({ dataId }) => this.data.get(dataId).id);
    this.#shapes[this.#calls++ % REMEMBERED] = inputs.flatMap((input) => (input ? [input.shape] : []));
    const sizes = outputs.map(({ shape }) => sizeOf(shape));
    this.addon.run(index, outs, ins, ints, floats, sizes);
    return infos;
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
    if (dtype === 'complex64') throw new Error('the onednn engine has no complex numbers');
    if (dtype === 'string') {
      this.data.set(dataId, { id: -1, dtype, strings: values as Uint8Array[], refCount });
      return;
    }
    const numbers = numbersOf(values as ArrayLike<number>, dtype);
    if (numbers.length !== sizeOf(shape))
      throw new Error(
        `onednn: expected ${sizeOf(shape)} numbers for [${shape.join(', ')}], got ${numbers.length}`,
      );
    const id = this.#next++;
    this.addon.write(id, numbers);
    this.data.set(dataId, { id, dtype, refCount });
  }

  override async read(dataId: DataId): Promise<BackendValues> {
    const { id, strings } = this.data.get(dataId);
    try {
      return strings ?? (await this.addon.read(id));
    } catch (error) {
      throw this.#explained(error as Error);
    }
  }

  override readSync(dataId: DataId): BackendValues {
    const { id, strings } = this.data.get(dataId);
    try {
      return strings ?? this.addon.readSync(id);
    } catch (error) {
      throw this.#explained(error as Error);
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

  /** "12 Linear: out of memory" → "Linear([8, 197, 768], [768, 768]): out of memory". */
  #explained(error: Error): Error {
    const [, number, kernel, reason] = /^(\d+) (\w+): (.*)$/s.exec(error.message) ?? [];
    if (number === undefined) return error;
    const recent = Number(number) >= this.#calls - REMEMBERED;
    const shapes = recent ? this.#shapes[Number(number) % REMEMBERED]! : [];
    const given = shapes.map((shape) => `[${shape.join(', ')}]`).join(', ');
    return new Error(`onednn: ${kernel}(${given}): ${reason}`);
  }

  /** The same numbers under another shape or type. */
  alias({ dataId }: TensorInfo, shape: readonly number[], dtype: DataType): TensorInfo {
    this.incRef(dataId);
    return { dataId, shape: [...shape], dtype };
  }

  override numDataIds(): number {
    return this.data.numDataIds();
  }

  override memory() {
    return { unreliable: false, ...this.addon.memory() };
  }

  override async time(f: () => void) {
    this.addon.drain();
    const start = performance.now();
    f();
    this.addon.drain();
    return { kernelMs: performance.now() - start };
  }

  override timerAvailable(): boolean {
    return true;
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return super.epsilon();
  }

  /** Every tensor lives in the addon, which its environment frees when it ends. */
  override dispose(): void {
    this.addon.drain();
  }
}

/** Values as the typed array that belongs to their type. */
export function numbersOf(values: ArrayLike<number>, dtype: DataType): Numbers {
  if (dtype === 'int32') return values instanceof Int32Array ? values : Int32Array.from(values);
  if (dtype === 'bool') return values instanceof Uint8Array ? values : Uint8Array.from(values);
  return values instanceof Float32Array ? values : Float32Array.from(values);
}

export const sizeOf = (shape: readonly number[]): number => util.sizeFromShape([...shape]);
