import { engine, type Scalar, type Tensor } from '@tensorflow/tfjs-core';

/**
 * The value of `f` and its gradients by `xs`; null for an x that it does not depend on. Call it inside `tidy`.
 *
 * Where `f` throws, what the engine had saved for the backward pass is freed, which tfjs itself leaves behind.
 */
export function valueAndGradients(
  f: () => Scalar,
  xs: readonly Tensor[],
): { readonly value: Scalar; readonly gradients: (Tensor | null)[] } {
  const { state } = engine();
  try {
    const { value, grads } = engine().gradients(f, [...xs], undefined, true);
    return { value, gradients: grads as (Tensor | null)[] };
  } catch (error) {
    if (state.gradientDepth === 0) {
      for (const { saved } of state.activeTape ?? []) for (const tensor of saved ?? []) tensor.dispose();
      state.activeTape = [];
    }
    throw error;
  }
}
