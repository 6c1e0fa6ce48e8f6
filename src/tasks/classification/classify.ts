import { add, matMul, reshape, slice, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import type { Pretrained } from '../../model/vit/pretrained.js';

/** The logits of an image classifier's checkpoint: its own linear layer on the class token. */
export function classify(tokens: Tensor, { weights }: Pretrained): Tensor {
  const [weight, bias] = [weights.get('classifier.weight')!, weights.get('classifier.bias')!];
  return tidy(() => {
    const [batch, , hidden] = tokens.shape as [number, number, number];
    const cls = reshape(slice(tokens, [0, 0, 0], [batch, 1, hidden]), [batch, hidden]);
    const product = matMul(
      cls as Tensor,
      tensor(weight.data as Float32Array, [...weight.shape]),
      false,
      true,
    );
    return add(product, tensor(bias.data as Float32Array, [...bias.shape]));
  });
}
