import './tfjs.js';
import {
  engine,
  getBackend,
  getKernel,
  type NamedAttrMap,
  type NamedTensorMap,
  registerGradient,
  registerKernel,
  type Tensor,
  tidy,
} from '@tensorflow/tfjs-core';

/** What an operation is, whatever runs it. */
export interface Op<I extends NamedTensorMap, A> {
  readonly name: string;
  /** The operation in plain tfjs: what runs where a backend registers no kernel of this name. */
  plain(inputs: I, attrs: A): Tensor | Tensor[];
  /** Inputs and outputs that the gradient reads. */
  readonly saves?: { readonly inputs?: readonly (keyof I & string)[]; readonly outputs?: readonly boolean[] };
  /**
   * The gradient by input, each computed only when that input is on the path to a parameter that trains: a
   * frozen weight costs nothing.
   */
  gradient?(dy: Tensor, saved: Tensor[], attrs: A): { readonly [K in keyof I]: () => Tensor };
}

/**
 * Defines a fused operation: one tfjs kernel, which a backend may register natively, and one gradient for all.
 *
 * On a backend without a kernel of that name, `plain` becomes that kernel at the first call. Optional inputs are
 * left out of `inputs` when undefined, and must not be among those that are saved.
 *
 * @example
 * const square = defineOp<{ x: Tensor }, object>({
 *   name: 'Square2',
 *   plain: ({ x }) => mul(x, x),
 *   saves: { inputs: ['x'] },
 *   gradient: (dy, [x]) => ({ x: () => mul(dy, mul(x!, 2)) }),
 * });
 */
export function defineOp<I extends NamedTensorMap, A extends object>(
  op: Op<I, A>,
): (inputs: I, attrs: A) => Tensor[] {
  const { gradient } = op;
  if (gradient)
    registerGradient({
      kernelName: op.name,
      inputsToSave: [...(op.saves?.inputs ?? [])],
      outputsToSave: [...(op.saves?.outputs ?? [])],
      gradFunc: (dy, saved, attrs) =>
        gradient(Array.isArray(dy) ? dy[0]! : dy, saved, attrs as unknown as A) as Record<
          string,
          () => Tensor
        >,
    });
  return (inputs, attrs) => {
    const backendName = getBackend();
    if (!getKernel(op.name, backendName))
      registerKernel({
        kernelName: op.name,
        backendName,
        kernelFunc: (given) =>
          tidy(() => op.plain(given.inputs as unknown as I, given.attrs as unknown as A)),
      });
    const present = Object.fromEntries(Object.entries(inputs).filter(([, tensor]) => tensor !== undefined));
    const result: unknown = engine().runKernel(
      op.name,
      present as NamedTensorMap,
      attrs as unknown as NamedAttrMap,
    );
    return (Array.isArray(result) ? result : [result]) as Tensor[];
  };
}
