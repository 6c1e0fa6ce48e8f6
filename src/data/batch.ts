import { Tensor } from '../base/tfjs-core.js';
import type { BatchPlan, Item } from './types.js';

/** One tensor, or several by name. */
export type Tensors = Tensor | Readonly<Record<string, Tensor>>;

/**
 * The inputs of a model and their targets, for the samples of one batch. Exists only under a lease, which calls
 * `dispose` exactly once.
 */
export interface Batch<In extends Tensors = Tensor, Target extends Tensors = Tensor> {
  /** Its `samples` are those in the tensors, row by row. */
  readonly plan: BatchPlan<Item>;
  /** The model's inputs. */
  readonly inputs: In;
  /** The targets that the model's outputs are compared with. */
  readonly targets: Target;
  /** Frees the tensors; called by the lease. */
  dispose(): void;
}

/** The targets of samples that have none: of pictures to predict. */
export type NoTargets = Readonly<Record<string, never>>;

/**
 * Gives a batch no targets: for `batch`, of pictures to predict.
 *
 * @example
 * from(plan.samples).pipe(decode(224), normalize(IMAGENET), batch(plan, noTargets));
 */
export function noTargets(): NoTargets {
  return {};
}

/** The shape of the tensor, or of the first of several. */
export function shapeOf(tensors: Tensors): readonly number[] {
  const first = tensors instanceof Tensor ? tensors : Object.values(tensors)[0];
  if (!first) throw new Error('expected a tensor, got none');
  return first.shape;
}
