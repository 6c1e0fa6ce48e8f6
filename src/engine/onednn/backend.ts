import type { DataType, TensorInfo } from '@tensorflow/tfjs-core';
import { util } from '../../base/tfjs-core.js';
import { AddonBackend } from '../addon/addon-backend.js';
import type { Precision } from '../numbers/precision.js';
import type { Addon, ArgumentNames, Enums, KernelNames } from './addon.js';
import { type Arguments, inOrder } from './arguments.js';

/** At least the number of calls that the addon queues. */
const REMEMBERED = 16384;

/** The addon's names of tensor types. */
const TYPES: Partial<Record<DataType, string>> = { float32: 'f32', int32: 'i32', bool: 'u8' };

/** A call under construction. */
interface Call {
  readonly ins: number[];
  readonly outs: number[];
  readonly numbers: number[];
  readonly sizes: number[];
  readonly shapes: (readonly number[])[];
  readonly results: TensorInfo[];
}

/**
 * The tfjs backend over the addon. Kernels are enqueued and run later, in order; reading waits for them.
 *
 * What `read` and `readSync` return is the tensor's own memory where it is large: do not write to it.
 */
export class OnednnBackend extends AddonBackend<Addon> {
  /** What matrix products round their factors to; `register` sets it. */
  precision: Precision = 'f32';
  /** See `integersName`. */
  readonly integersName: string | undefined;
  /** The addon's enums, by name. */
  readonly enums: Enums;
  readonly #kernels: ReadonlyMap<string, KernelNames & { readonly index: number }>;
  /** The shapes of the latest calls by number, for the message if one of them fails. */
  readonly #shapes: (readonly number[])[][] = [];
  #calls = 0;
  #next = 0;

  constructor(addon: Addon) {
    super('onednn', addon);
    const { enums, kernels } = addon.about();
    this.integersName = integersName(kernels);
    this.enums = enums;
    this.#kernels = new Map(kernels.map((kernel, index) => [kernel.name, { ...kernel, index }]));
  }

  /** The addon's number of a tensor type; undefined if it has none. */
  typeOf(dtype: DataType): number | undefined {
    return this.enums.Type[TYPES[dtype]!];
  }

  /**
   * Enqueues a kernel of the addon; the results are tensors at once, in the order of `results`, and get their numbers
   * later.
   *
   * @param each What the kernel takes any number of times, each with results of its own.
   */
  run(kernel: string, once: Arguments, each: readonly Arguments[] = []): TensorInfo[] {
    const names = this.#kernels.get(kernel);
    if (!names) throw new Error(`the addon has no kernel ${kernel}; run npm run build:native`);
    const call: Call = { ins: [], outs: [], numbers: [], sizes: [], shapes: [], results: [] };
    try {
      this.#add(call, names, once);
      for (const repeated of each) this.#add(call, names.each, repeated);
    } catch (error) {
      throw new Error(`${kernel}: ${(error as Error).message}`, { cause: error });
    }
    this.#shapes[this.#calls++ % REMEMBERED] = call.shapes;
    this.addon.run(names.index, call.outs, call.ins, call.numbers, call.sizes);
    return call.results;
  }

  /** Appends arguments to those of a call, where the addon looks for them. */
  #add(call: Call, names: ArgumentNames, { inputs, results = {}, numbers }: Arguments): void {
    for (const input of inOrder(names.inputs, inputs)) {
      call.ins.push(input ? this.data.get(input.dataId).id : -1);
      if (input) call.shapes.push(input.shape);
    }
    const ids: Record<string, number> = {};
    for (const [name, { shape, dtype }] of Object.entries(results)) {
      const id = this.#next++;
      ids[name] = id;
      call.results.push(this.tensorOf(id, shape, dtype));
    }
    call.outs.push(...inOrder(names.results, ids));
    for (const { shape } of inOrder(names.results, results)) call.sizes.push(sizeOf(shape));
    for (const value of inOrder(names.numbers, numbers))
      if (typeof value === 'number') call.numbers.push(value);
      else call.numbers.push(...value);
  }

  protected override put(numbers: Float32Array | Int32Array | Uint8Array, shape: readonly number[]): number {
    if (numbers.length !== sizeOf(shape))
      throw new Error(
        `onednn: expected ${sizeOf(shape)} numbers for [${shape.join(', ')}], got ${numbers.length}`,
      );
    const id = this.#next++;
    this.addon.write(id, numbers);
    return id;
  }

  /** "12 Linear: out of memory" → "Linear([8, 197, 768], [768, 768]): out of memory". */
  protected override explained(error: Error): Error {
    const [, number, kernel, reason] = /^(\d+) (\w+): (.*)$/s.exec(error.message) ?? [];
    if (number === undefined) return error;
    const recent = Number(number) >= this.#calls - REMEMBERED;
    const shapes = recent ? this.#shapes[Number(number) % REMEMBERED]! : [];
    const shapesText = shapes.map((shape) => `[${shape.join(', ')}]`).join(', ');
    return new Error(`onednn: ${kernel}(${shapesText}): ${reason}`);
  }

  /** The same numbers under another shape or type. */
  alias({ dataId }: TensorInfo, shape: readonly number[], dtype: DataType): TensorInfo {
    this.incRef(dataId);
    return { dataId, shape: [...shape], dtype };
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

  /** The addon owns every tensor, and its environment frees them when it ends. */
  override dispose(): void {
    this.addon.drain();
  }
}

/**
 * The name of the number that tells an addon in what integers a map may be multiplied: `bits`, or `frozen` in one that was
 * built before each had its own. An addon without integers has neither.
 */
export function integersName(kernels: readonly KernelNames[]): string | undefined {
  const { numbers = [] } = kernels.find(({ name }) => name === 'Linears')?.each ?? {};
  return ['bits', 'frozen'].find((name) => numbers.includes(name));
}

export const sizeOf = (shape: readonly number[]): number => util.sizeFromShape([...shape]);
