import type { Parameters } from '../parameters.js';
import type { TorchPlace } from '../torch-place.js';
import { toTorchLayout } from './layout.js';

/** Tensors in PyTorch's layouts, by PyTorch's names. */
export type TorchTensors = Map<
  string,
  { readonly shape: readonly number[]; readonly data: Float32Array | Int32Array }
>;

/** Parameters in PyTorch's layouts, by the keys of their places. */
export async function torchTensors(
  parameters: Parameters,
  places: readonly TorchPlace[],
): Promise<TorchTensors> {
  const tensors: TorchTensors = new Map();
  for (const { parameter, key, shape } of places) {
    const data = (await parameters.get(parameter).data()) as Float32Array;
    tensors.set(key, { shape, data: toTorchLayout(data, shape) });
  }
  return tensors;
}
