import './chained-ops.js';
import type { KernelConfig, NamedAttrMap, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import { engine, getBackend, getKernel, registerGradient, registerKernel, tidy } from '../base/tfjs-core.js';

/** An operation, independent of the engine that runs it. */
export interface Op<I extends NamedTensorMap | readonly Tensor[], A> {
  readonly name: string;
  /** The operation in plain tfjs, for backends without a kernel of this name. */
  plain(inputs: I, attrs: A): Tensor | Tensor[];
  /**
   * Inputs that the gradient reads (`all` if they are a list), and outputs that exist for the gradient alone.
   */
  readonly saves?: {
    readonly inputs?: 'all' | readonly (keyof I & string)[];
    readonly outputs?: readonly boolean[];
  };
  /**
   * The gradient by input, each computed only when that input is on the path to a parameter that trains: a
   * frozen weight costs nothing. `dy` belongs to the first output, `dys` to all.
   */
  gradient?(
    dy: Tensor,
    saved: Tensor[],
    attrs: A,
    dys: readonly Tensor[],
  ): { readonly [K in keyof I]: () => Tensor };
}

/** A kernel that runs an operation in plain tfjs, on whichever backend is in use. */
export interface PlainKernel extends KernelConfig {
  readonly isPlain?: true;
}

const sideOutputs = new Map<string, readonly boolean[]>();

/** Whether an output exists for the gradient alone and has none itself. */
export function isSideOutput(op: string, output: number): boolean {
  return sideOutputs.get(op)?.[output] ?? false;
}

/**
 * Defines a fused operation: one tfjs kernel, which a backend may register natively, and one gradient for all
 * engines.
 *
 * On a backend without a kernel of that name, `plain` becomes that kernel at the first call. Inputs are named, or a
 * list where their number varies. Optional inputs are left out of `inputs` when undefined, and must not be among
 * those that are saved.
 *
 * @example
 * const square = defineOp<{ x: Tensor }, object>({
 *   name: 'Square2',
 *   plain: ({ x }) => mul(x, x),
 *   saves: { inputs: ['x'] },
 *   gradient: (dy, [x]) => ({ x: () => mul(dy, mul(x!, 2)) }),
 * });
 */
export function defineOp<I extends NamedTensorMap | readonly Tensor[], A extends object>(
  op: Op<I, A>,
): (inputs: I, attrs: A) => Tensor[] {
  const { gradient } = op;
  sideOutputs.set(op.name, op.saves?.outputs ?? []);
  if (gradient)
    registerGradient({
      kernelName: op.name,
      ...(op.saves?.inputs === 'all'
        ? { saveAllInputs: true }
        : { inputsToSave: [...(op.saves?.inputs ?? [])] }),
      outputsToSave: [...(op.saves?.outputs ?? [])],
      gradFunc: (dy, saved, attrs) => {
        const dys = Array.isArray(dy) ? dy : [dy];
        return gradient(dys[0]!, saved, attrs as unknown as A, dys) as unknown as Record<
          string,
          () => Tensor
        >;
      },
    });
  return (inputs, attrs) => {
    const backendName = getBackend();
    if (!getKernel(op.name, backendName))
      registerKernel({
        kernelName: op.name,
        backendName,
        isPlain: true,
        kernelFunc: (kernelCall) =>
          tidy(() => op.plain(kernelCall.inputs as unknown as I, kernelCall.attrs as unknown as A)),
      } as PlainKernel);
    const present = Array.isArray(inputs)
      ? [...inputs]
      : Object.fromEntries(Object.entries(inputs).filter(([, tensor]) => tensor !== undefined));
    const result: unknown = engine().runKernel(
      op.name,
      present as unknown as NamedTensorMap,
      attrs as unknown as NamedAttrMap,
    );
    return (Array.isArray(result) ? result : [result]) as Tensor[];
  };
}
