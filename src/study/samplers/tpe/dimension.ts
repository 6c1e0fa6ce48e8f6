/** Columns by dimension: observed or proposed internal values. */
export type Columns = readonly Float64Array[];

/**
 * The kernels of a Parzen estimator in one dimension: one for each observation, and the prior's as the last.
 *
 * A density is a sum over the kernels of e^term, and each dimension adds its part to the terms.
 */
export interface Dimension {
  /** Adds what the terms have wherever the point is; false where a kernel's is too small for a quick sum. */
  addHeights(terms: Float64Array): boolean;
  /** Adds what depends on the point. */
  addShares(x: number, terms: Float64Array): void;
  /**
   * Adds both, in Optuna's roundings; what Optuna adds up over all dimensions before it adds the sum is returned
   * instead.
   */
  addInOrder(x: number, terms: Float64Array): Float64Array | undefined;
}
