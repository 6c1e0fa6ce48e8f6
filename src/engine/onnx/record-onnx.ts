import '../tfjs.js';
import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import { packageVersion } from '../../base/package.js';
import {
  engine,
  getBackend,
  getKernelsForBackend,
  registerBackend,
  registerKernel,
  removeBackend,
  setBackend,
  tidy,
  unregisterKernel,
} from '../../base/tfjs-core.js';
import { type OnnxNode, onnxBytes } from '../../files/onnx-file.js';
import { FUSED_KERNELS } from './fused-kernels.js';
import { PLAIN_KERNELS } from './kernels.js';
import { BATCH, INPUT, isBatch, TRACE, TraceBackend } from './trace-backend.js';

/** What is recorded, and how the file names it. */
export interface RecordOnnxOptions {
  /** The shape of one input, without the batch. */
  readonly shape: readonly number[];
  /** Weights by name; others get numbers. */
  readonly weights: Iterable<{ readonly name: string; readonly value: Tensor }>;
  /** Texts for programs. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The version of ONNX's operators: the first with LayerNormalization. */
const OPSET = 17;

/** The largest file that protobuf can hold. */
const MOST_BYTES = 2 ** 31 - 1;

/**
 * The bytes of an ONNX file that computes a function of one batch of inputs, `pixel_values` → `logits`, both with a free
 * batch.
 *
 * The function runs once, on a backend that computes nothing and records each kernel, so whatever the model is made of
 * is exported: any head, and adapters that are not merged. Weights are written in f32, whatever the engine rounds to.
 *
 * @throws UserError for a kernel that has no counterpart in ONNX here, for a function that reads numbers as it runs or
 *   mixes the inputs of a batch, and beyond 2 GiB.
 */
export async function recordOnnx(
  forward: (inputs: Tensor) => Tensor,
  { shape, weights, metadata = {} }: RecordOnnxOptions,
): Promise<Uint8Array> {
  const before = getBackend();
  const trace = new TraceBackend();
  trace.name(weights);
  registerBackend(TRACE, () => trace);
  registerKernels();
  let output = { name: '', shape: [] as readonly number[] };
  try {
    await setBackend(TRACE);
    tidy(() => {
      const result = forward(inputOf(trace, [BATCH, ...shape]));
      output = { name: trace.nameOf(result), shape: result.shape };
    });
  } catch (error) {
    throw unknownKernel(error);
  } finally {
    await setBackend(before);
    removeBackend(TRACE);
    for (const { kernelName } of getKernelsForBackend(TRACE)) unregisterKernel(kernelName, TRACE);
  }
  const result = { op: 'Identity', inputs: [output.name], outputs: ['logits'], attributes: {} };
  const nodes = readNodes([...trace.nodes, result]);
  const reads = new Set(nodes.flatMap(({ inputs }) => inputs));
  const tensors = (await trace.weights()).filter(({ name }) => reads.has(name));
  const size = tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
  if (size > MOST_BYTES)
    throw new UserError(`ONNX: expected weights of at most 2 GiB, the format's limit, got ${size} bytes`);
  const free = (sizes: readonly number[]) => sizes.map((length) => (isBatch(length) ? 'batch' : length));
  return onnxBytes({
    producer: { name: 'millrace', version: packageVersion() },
    opset: OPSET,
    nodes,
    weights: tensors,
    inputs: [{ name: INPUT, shape: ['batch', ...shape] }],
    outputs: [{ name: 'logits', shape: free(output.shape) }],
    metadata,
  });
}

/** The nodes that the last one depends on. */
function readNodes(nodes: readonly OnnxNode[]): OnnxNode[] {
  const reads = new Set(nodes.at(-1)!.outputs);
  return nodes
    .toReversed()
    .filter(({ inputs, outputs }) => {
      const isRead = outputs.some((name) => reads.has(name));
      if (isRead) for (const name of inputs) reads.add(name);
      return isRead;
    })
    .toReversed();
}

function inputOf(trace: TraceBackend, shape: readonly number[]): Tensor {
  const { dataId } = trace.make(INPUT, shape);
  return engine().makeTensorFromDataId(dataId, [...shape], 'float32', trace);
}

function registerKernels(): void {
  for (const [kernelName, write] of Object.entries({ ...PLAIN_KERNELS, ...FUSED_KERNELS }))
    registerKernel({
      kernelName,
      backendName: TRACE,
      kernelFunc: ({ inputs, attrs, backend }) =>
        write(backend as TraceBackend, inputs as Readonly<Record<string, TensorInfo>>, attrs) as TensorInfo[],
    });
}

/** The error of tfjs for a kernel that a backend lacks, as one for the user. */
function unknownKernel(error: unknown): unknown {
  const [, kernel] = /kernel '(\w+)'/i.exec((error as Error).message) ?? [];
  return kernel === undefined
    ? error
    : new UserError(
        `ONNX: expected a model of operations that can be exported, got ${kernel}; export it with --format hf or adapter`,
        { kernel },
        { cause: error },
      );
}
