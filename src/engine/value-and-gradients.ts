import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { engine, scalar } from '../base/tfjs-core.js';
import { isSideOutput } from './op.js';

/** A record that tfjs keeps of each operation for the backward pass. */
interface TapeNode {
  readonly kernelName: string;
  saved?: Tensor[];
  gradient?: (dys: (Tensor | null)[]) => Record<string, () => Tensor>;
}

/**
 * The value of `f` and its gradients by `xs`; null for an x that it does not depend on. Call it inside `tidy`. Where `f` is no
 * scalar, `dy` is the gradient by its value.
 *
 * What the backward pass has used is freed as it goes, where tfjs itself keeps all of it to the end: the gradients
 * of a ViT's activations take more memory than the activations. Where `f` throws, what was saved is freed too.
 */
export function valueAndGradients<T extends Tensor = Scalar>(
  f: () => T,
  xs: readonly Tensor[],
  dy?: T,
): { readonly value: T; readonly gradients: (Tensor | null)[] } {
  const { state } = engine();
  const outermost = state.gradientDepth === 0;
  try {
    const { value, grads } = engine().gradients(
      () => {
        const y = f();
        if (outermost) freeAsUsed((state.activeTape ?? []) as unknown as TapeNode[]);
        return y;
      },
      [...xs],
      dy,
      true,
    );
    return { value, gradients: grads as (Tensor | null)[] };
  } catch (error) {
    if (state.gradientDepth === 0) {
      for (const { saved } of state.activeTape ?? []) for (const tensor of saved ?? []) tensor.dispose();
      state.activeTape = [];
    }
    throw error;
  }
}

/**
 * Makes each operation's gradient free the tensors it has read: its own saved tensors, and the gradients of its
 * outputs, which nothing reads after it.
 */
function freeAsUsed(tape: readonly TapeNode[]): void {
  let used: Tensor[] = [];
  const unread = scalar(0);
  for (const node of tape) {
    const { gradient } = node;
    if (!gradient) continue;
    node.gradient = (dys) => {
      for (const tensor of used) tensor.dispose();
      const read = [...dys.filter((dy) => dy !== null && dy !== undefined), ...(node.saved ?? [])];
      used = read;
      // Where there is none tfjs makes zeros, number by number.
      const gradients = dys.map((dy, i) => dy ?? (isSideOutput(node.kernelName, i) ? unread : dy));
      return Object.fromEntries(
        Object.entries(gradient(gradients)).map(([input, compute]) => [
          input,
          () => {
            // What is passed on unchanged lives on under its own handle.
            const dx = compute();
            return read.includes(dx) ? dx.clone() : dx;
          },
        ]),
      );
    };
  }
}
