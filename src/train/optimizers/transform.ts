import type { Tensor } from '@tensorflow/tfjs-core';

/**
 * Vectors by pack. All trainable tensors of a parameter group are one flat float32 vector, so that a step costs a
 * handful of kernels however many parameters there are (see `pack`).
 */
export type Packs = Readonly<Record<string, Tensor>>;

/** The state of an optimiser: a tree of tensors and numbers that a checkpoint saves and restores bit for bit. */
export interface State {
  readonly [key: string]: State | Tensor | number;
}

/** The parameters and learning rates that a transform may use. */
export interface StepContext {
  readonly parameters: Packs;
  /** The learning rate of each pack. */
  readonly learningRate: Readonly<Record<string, number>>;
}

/**
 * One link of an optimiser: turns gradients into what is *added* to the parameters (the design of Optax).
 *
 * Pure: `update` returns a new state and never disposes; the caller frees what it no longer holds. A pack that is
 * missing from the updates leaves its parameters as they are.
 *
 * @example
 * const lion = chain(clipByGlobalNorm(1), myTransform, scaleByLearningRate());
 */
export interface GradientTransform<S extends State = State> {
  /**
   * `lateGroups` are the packs that stay frozen in the first updates: they count their steps from when they move.
   */
  init(parameters: Packs, late?: readonly string[]): S;
  /** Turns gradients into updates, and returns the state for the next step. */
  update(updates: Packs, state: S, context: StepContext): { readonly updates: Packs; readonly state: S };
}

/** An optimiser is a transform whose updates include the learning rate. */
export type Optimizer = GradientTransform;

/** A transform without state. */
export function stateless(update: (updates: Packs, context: StepContext) => Packs): GradientTransform {
  return {
    init: () => ({}),
    update: (updates, state, context) => ({ updates: update(updates, context), state }),
  };
}

/** Applies a function to every pack. */
export function mapPacks(packs: Packs, fn: (vector: Tensor, pack: string) => Tensor): Packs {
  return Object.fromEntries(Object.entries(packs).map(([pack, vector]) => [pack, fn(vector, pack)]));
}
