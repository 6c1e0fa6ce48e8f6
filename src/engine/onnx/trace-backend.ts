import type { BackendValues, DataId, DataType, Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import { KernelBackend } from '../../base/tfjs-core.js';
import type { OnnxAttribute, OnnxNode, OnnxTensor } from '../../files/onnx-file.js';

/** The name of the backend that records. */
export const TRACE = 'onnx-trace';

/**
 * The size of the batch while a model is recorded: a prime that divides no other dimension, so that each dimension
 * which the batch is part of can be told. Nothing is computed, so it costs nothing.
 */
export const BATCH = 1_000_003;

/** The name of the input of what is recorded. */
export const INPUT = 'pixel_values';

/** The name of results that no node may read. */
const UNUSED = 'unused';

/** Whether a dimension grows with the batch. */
export function isBatch(size: number): boolean {
  return size > 0 && size % BATCH === 0;
}

/** A tensor while a model is recorded: a name in the graph, and no numbers. */
interface Traced {
  readonly name: string;
  /** The numbers of a constant that the model itself makes. */
  readonly values?: BackendValues;
}

/**
 * A tfjs backend that computes nothing: each kernel adds nodes to a graph, and results are names.
 *
 * Tensors that it has not seen are constants of the graph, whatever backend holds them: the weights.
 */
export class TraceBackend extends KernelBackend {
  readonly nodes: OnnxNode[] = [];
  readonly #traced = new Map<DataId, Traced>();
  readonly #names = new Map<DataId, string>();
  /** Weights and constants that a node reads, by name. */
  readonly #weights = new Map<string, () => Promise<OnnxTensor>>();
  #count = 0;

  /** Gives tensors the names that they have as weights. */
  name(tensors: Iterable<{ readonly name: string; readonly value: Tensor }>): void {
    for (const { name, value } of tensors) this.#names.set(value.dataId, name);
  }

  /** A tensor that a name stands for. */
  make(name: string, shape: readonly number[], dtype: DataType = 'float32'): TensorInfo {
    const dataId = {};
    this.#traced.set(dataId, { name });
    return { dataId, shape: [...shape], dtype };
  }

  /** Adds a node with one result of this shape. */
  node(
    op: string,
    inputs: readonly (TensorInfo | string)[],
    shape: readonly number[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): TensorInfo {
    const output = this.#fresh();
    const names = inputs.map((input) => (typeof input === 'string' ? input : this.nameOf(input)));
    this.nodes.push({ op, inputs: names, outputs: [output], attributes });
    return this.make(output, shape);
  }

  /** A constant list of integers: shapes, axes, places. */
  integers(values: readonly number[]): string {
    const name = `ints_${values.join('_').replaceAll('-', 'm')}`;
    const data = Int32Array.from(values);
    this.#weights.set(name, async () => ({ name, shape: [values.length], data }));
    return name;
  }

  /** A constant list of floats. */
  floats(values: readonly number[]): string {
    return this.#constant(Float32Array.from(values), [values.length]);
  }

  /** A constant number. */
  number(value: number): TensorInfo {
    return this.make(this.#constant(Float32Array.of(value), []), []);
  }

  /** The name of a tensor in the graph; a weight that is met for the first time joins it. */
  nameOf(info: TensorInfo): string {
    const traced = this.#traced.get(info.dataId);
    if (traced?.name === UNUSED) throw new Error('a model reads what exists for gradients alone');
    if (traced && !traced.values) return traced.name;
    if (info.dtype !== 'float32')
      throw new UserError(`ONNX: expected a model of floats, got a constant of ${info.dtype}`);
    if (traced) return this.#constant(Float32Array.from(traced.values as ArrayLike<number>), info.shape);
    const name = this.#names.get(info.dataId) ?? this.#fresh();
    this.#names.set(info.dataId, name);
    const tensor = info as Tensor;
    this.#weights.set(name, async () => {
      const data = (await tensor.data()) as Float32Array;
      return { name, shape: [...tensor.shape], data };
    });
    return name;
  }

  /** A result that exists for gradients alone: no node may read it. */
  unused(shape: readonly number[]): TensorInfo {
    return this.make(UNUSED, shape);
  }

  /** The weights and constants of the graph, read from where they are. */
  async weights(): Promise<OnnxTensor[]> {
    const tensors: OnnxTensor[] = [];
    for (const read of this.#weights.values()) tensors.push(await read());
    return tensors;
  }

  #constant(data: Float32Array, shape: readonly number[]): string {
    const short = data.length === 1;
    const name = short ? `number_${shape.length}_${data[0]}` : this.#fresh();
    this.#weights.set(name, async () => ({ name, shape, data }));
    return name;
  }

  #fresh(): string {
    return `value_${++this.#count}`;
  }

  override write(values: BackendValues, _shape: number[], _dtype: DataType): DataId {
    const dataId = {};
    this.#traced.set(dataId, { name: '', values });
    return dataId;
  }

  override move(dataId: DataId, values: BackendValues): void {
    this.#traced.set(dataId, { name: '', values });
  }

  override read(): Promise<BackendValues> {
    return Promise.reject(this.#unreadable());
  }

  override readSync(): BackendValues {
    throw this.#unreadable();
  }

  #unreadable(): UserError {
    return new UserError(
      'ONNX: expected a model whose steps do not depend on the numbers, got one that reads them as it runs',
    );
  }

  override disposeData(): boolean {
    return true;
  }

  override dispose(): void {}

  override refCount(): number {
    return 1;
  }

  override incRef(): void {}

  override numDataIds(): number {
    return this.#traced.size;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }
}
