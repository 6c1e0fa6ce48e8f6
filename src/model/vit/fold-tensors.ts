import type { StoredTensor } from '../../files/safetensors-format.js';
import type { NamedWeights } from './names.js';

/**
 * Rewrites tensors that a plain ViT has no place for into ones that it has, where that is the same function:
 *
 * - LayerScale (Touvron et al. 2021, "Going deeper with Image Transformers"), s∘(x·W + b) after attention and MLP, is
 *   part of the map before it: columns of W and b times s.
 * - The map of a gated MLP with gate and value in one (DINOv2's `w12`) is two maps.
 * - A distillation token (DeiT) with its own row of positions is a register: a constant token, d + p.
 *
 * @returns whether LayerScale was folded, and not all of it was 1
 */
export function foldTensors(weights: NamedWeights): boolean {
  let folded = false;
  for (const [name, scale] of weights) {
    const [, layer, which] = /^layers\.(\d+)\.scale([12])$/.exec(name) ?? [];
    if (layer === undefined) continue;
    const map = `layers.${layer}.${which === '1' ? 'output' : 'fc2'}`;
    const [weight, bias] = [weights.get(`${map}.weight`), weights.get(`${map}.bias`)];
    // What does not fit stays, and is refused by its name.
    if (!fits(scale, weight) || (bias && !fits(scale, bias))) continue;
    weights.set(`${map}.weight`, scaled(weight!, scale));
    if (bias) weights.set(`${map}.bias`, scaled(bias, scale));
    weights.delete(name);
    folded ||= scale.data.some((value) => value !== 1);
  }
  splitGates(weights);
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

/** Splits each first map that is twice as wide as what the second one reads: gate first, then value. */
function splitGates(weights: NamedWeights): void {
  for (const [name, second] of weights) {
    const [, layer] = /^layers\.(\d+)\.fc2\.weight$/.exec(name) ?? [];
    const width = second.shape[1] ?? 0;
    if (layer === undefined || weights.get(`layers.${layer}.fc1.weight`)?.shape[0] !== 2 * width) continue;
    for (const kind of ['weight', 'bias']) {
      const both = weights.get(`layers.${layer}.fc1.${kind}`);
      if (!both || weights.has(`layers.${layer}.gate.${kind}`) || both.shape[0] !== 2 * width) continue;
      const shape = [width, ...both.shape.slice(1)];
      const middle = both.data.length / 2;
      weights.set(`layers.${layer}.gate.${kind}`, { ...both, shape, data: both.data.slice(0, middle) });
      weights.set(`layers.${layer}.fc1.${kind}`, { ...both, shape, data: both.data.slice(middle) });
    }
  }
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
