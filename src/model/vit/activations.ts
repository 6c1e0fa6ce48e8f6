import type { Tensor } from '@tensorflow/tfjs-core';
import { add, mul, pow, relu, sigmoid, tanh } from '../../base/tfjs-core.js';
import { gelu } from '../../engine/ops/gelu.js';

/** GELU by a tanh (Hendrycks & Gimpel 2016): ½x(1 + tanh(√(2/π)(x + 0.044715x³))). */
function tanhGelu(x: Tensor): Tensor {
  const inner = mul(add(x, mul(pow(x, 3), 0.044715)), Math.sqrt(2 / Math.PI));
  return mul(mul(x, 0.5), add(tanh(inner), 1));
}

const silu = (x: Tensor): Tensor => mul(x, sigmoid(x));

/** The functions between the two maps of an MLP, by their names in transformers (`hidden_act`). */
export const ACTIVATIONS = {
  gelu,
  gelu_new: tanhGelu,
  gelu_fast: tanhGelu,
  gelu_pytorch_tanh: tanhGelu,
  quick_gelu: (x: Tensor): Tensor => mul(x, sigmoid(mul(x, 1.702))),
  relu: (x: Tensor): Tensor => relu(x),
  silu,
  swish: silu,
} satisfies Readonly<Record<string, (x: Tensor) => Tensor>>;
