import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import { getKernel, registerKernel, unregisterKernel } from '../base/tfjs-core.js';
import { productOfAlike } from './broadcast-product.js';

/**
 * Gives the wasm backend a faster matrix product.
 *
 * Its own runs XNNPACK only for one product of factors that are not transposed, and else a plain loop that takes some
 * ten times as long (tfjs-backend-wasm 4.22, BatchMatMul.cc). Gradients need transposed factors and attention needs
 * batches: here factors are transposed first, and the products of a batch run one by one.
 */
export function replaceProduct(): void {
  const kernel = getKernel('BatchMatMul', 'wasm');
  if (kernel.kernelFunc === product) return;
  tfjsProduct = kernel.kernelFunc;
  unregisterKernel('BatchMatMul', 'wasm');
  registerKernel({
    ...kernel,
    kernelFunc: product,
    setupFunc(backend) {
      kernel.setupFunc?.(backend);
      const types = ['number', 'array', 'number', 'number', 'array', 'number', 'number', 'number', 'number'];
      const { wasm } = backend as unknown as {
        readonly wasm: { cwrap(...signature: unknown[]): typeof single };
      };
      single = wasm.cwrap('BatchMatMul', null, types);
    },
  });
}

let tfjsProduct: KernelConfig['kernelFunc'];

/** The native product: id, shape and rank of both factors, whether each is transposed, id of the result. */
let single: (
  a: number,
  aShape: Uint8Array,
  aRank: number,
  b: number,
  bShape: Uint8Array,
  bRank: number,
  transposeA: boolean,
  transposeB: boolean,
  out: number,
) => void;

/** Names for parts of tensors while one product runs; the backend counts its own tensors from 1. */
const PARTS = { a: 0x7ffffffd, b: 0x7ffffffe, out: 0x7fffffff };

const product: KernelConfig['kernelFunc'] = ({ inputs, attrs, backend: anyBackend }) => {
  const backend = anyBackend as BackendWasm;
  const { transposeA, transposeB } = attrs as { transposeA?: boolean; transposeB?: boolean };
  const a = transposeA ? swapLastTwo(inputs.a!, backend) : inputs.a!;
  const b = transposeB ? swapLastTwo(inputs.b!, backend) : inputs.b!;
  const result = oneByOne(a, b, backend);
  for (const [factor, before] of [
    [a, inputs.a],
    [b, inputs.b],
  ])
    if (factor !== before) backend.disposeData(factor!.dataId);
  return result;
};

function oneByOne(a: TensorInfo, b: TensorInfo, backend: BackendWasm): TensorInfo | TensorInfo[] {
  const [batch, other] = [a, b].map(({ shape }) => shape.slice(0, -2)) as [number[], number[]];
  const count = batch.reduce((x, y) => x * y, 1);
  if (batch.join() !== other.join())
    return productOfAlike(a, b, backend, 'wasm', (x, y) => oneByOne(x, y, backend));
  if (count <= 1)
    return tfjsProduct({ inputs: { a, b }, attrs: { transposeA: false, transposeB: false }, backend });
  const [rows, inner, columns] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!];
  const out = backend.makeOutput([...batch, rows, columns], 'float32');
  const { registerTensor, disposeData } = backend.wasm.tfjs;
  const at = ({ dataId }: TensorInfo) => backend.dataIdMap.get(dataId).memoryOffset;
  const parts = [
    { id: PARTS.a, size: rows * inner, offset: at(a) },
    { id: PARTS.b, size: inner * columns, offset: at(b) },
    { id: PARTS.out, size: rows * columns, offset: at(out) },
  ];
  const [aShape, bShape] = [shapeBytes([1, rows, inner]), shapeBytes([1, inner, columns])];
  for (let i = 0; i < count; i++) {
    for (const { id, size, offset } of parts) registerTensor(id, size, offset + 4 * i * size);
    single(PARTS.a, aShape, 3, PARTS.b, bShape, 3, false, false, PARTS.out);
    for (const { id } of parts) disposeData(id);
  }
  return out;
}

function shapeBytes(shape: readonly number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(shape).buffer);
}

function swapLastTwo(x: TensorInfo, backend: BackendWasm): TensorInfo {
  const perm = x.shape.map((_, i) => i);
  perm.push(...perm.splice(-2).reverse());
  const { kernelFunc } = getKernel('Transpose', 'wasm');
  return kernelFunc({ inputs: { x }, attrs: { perm }, backend }) as TensorInfo;
}
