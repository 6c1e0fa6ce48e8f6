import type { StoredTensor } from '../../files/safetensors-format.js';
import type { NamedWeights } from './names.js';

/**
 * Rewrites tensors that a plain ViT has no place for into ones that it has, where that is the same function:
 *
 * - LayerScale (Touvron et al. 2021, "Going deeper with Image Transformers"), s∘(x·W + b) after attention and MLP, is
 *   part of the map before it: columns of W and b times s.
 * - A distillation token (DeiT) with its own row of positions is a register: a constant token, d + p.
 *
 * @returns whether LayerScale was folded
 */
export function foldTensors(weights: NamedWeights): boolean {
  let folded = false;
  for (const [name, scale] of weights) {
    const [, layer, which] = /^layers\.(\d+)\.scale([12])$/.exec(name) ?? [];
    if (layer === undefined) continue;
    const map = `layers.${layer}.${which === '1' ? 'output' : 'fc2'}`;
    const [weight, bias] = [weights.get(`${map}.weight`), weights.get(`${map}.bias`)];
    // What does not fit stays, and is refused by its name.
    if (!fits(scale, weight) || !fits(scale, bias)) continue;
    weights.set(`${map}.weight`, scaled(weight!, scale));
    weights.set(`${map}.bias`, scaled(bias!, scale));
    weights.delete(name);
    folded = true;
  }
  foldDistillation(weights);
  return folded;
}

/** Whether a tensor of floats has as many rows as a scale has numbers. */
function fits(scale: StoredTensor, tensor: StoredTensor | undefined): boolean {
  return (
    scale.shape.length === 1 &&
    scale.data instanceof Float32Array &&
    tensor?.data instanceof Float32Array &&
    tensor.shape[0] === scale.shape[0]
  );
}

/** The rows of a tensor in PyTorch's layout, which are its outputs, times a scale each. */
function scaled(tensor: StoredTensor, scale: StoredTensor): StoredTensor {
  const width = tensor.data.length / scale.data.length;
  const data = Float32Array.from(
    tensor.data as Float32Array,
    (value, i) => value * Number(scale.data[Math.floor(i / width)]),
  );
  return { ...tensor, data };
}

function foldDistillation(weights: NamedWeights): void {
  const [token, positions] = [weights.get('distillation'), weights.get('positions')];
  const [, rows = 0, width = 0] = positions?.shape ?? [];
  if (!(token?.data instanceof Float32Array) || !(positions?.data instanceof Float32Array)) return;
  if (weights.has('registers') || rows < 3 || token.shape.join() !== `1,1,${width}`) return;
  const own = positions.data.subarray(width, 2 * width);
  const data = token.data.map((value, i) => value + own[i]!);
  const others = new Float32Array((rows - 1) * width);
  others.set(positions.data.subarray(0, width));
  others.set(positions.data.subarray(2 * width), width);
  weights.set('registers', { ...token, data });
  weights.set('positions', { ...positions, shape: [1, rows - 1, width], data: others });
  weights.delete('distillation');
}
