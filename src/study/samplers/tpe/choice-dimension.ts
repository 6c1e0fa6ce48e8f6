import { log } from '../../../numeric/exp-log.js';
import type { NumpyRandom } from '../../../random/numpy-random.js';
import type { CategoricalDistribution } from '../../trials/distribution.js';
import { type CategoricalKernels, categoricalKernels, type Distance, logsOf } from './categorical-kernels.js';
import type { Dimension } from './dimension.js';

/** The kernels of a categorical parameter: each gives every choice a probability. */
export class ChoiceDimension implements Dimension {
  readonly #kernels: CategoricalKernels;

  constructor(
    observations: Float64Array,
    distribution: CategoricalDistribution,
    priorWeight: number,
    distance: Distance | undefined,
  ) {
    this.#kernels = categoricalKernels(observations, distribution, priorWeight, distance);
  }

  addHeights(): boolean {
    return true;
  }

  addShares(choice: number, terms: Float64Array): void {
    const logs = logsOf(this.#kernels, choice);
    for (let k = 0; k < terms.length; k++) terms[k]! += logs[k]!;
  }

  addInOrder(choice: number, terms: Float64Array): undefined {
    const { rows, choices } = this.#kernels;
    for (let k = 0; k < terms.length; k++) terms[k]! += log(rows[k * choices + choice]!);
  }

  /** Draws a choice from each of the listed kernels. */
  sample(random: NumpyRandom, kernels: Int32Array): Float64Array {
    const { rows, choices } = this.#kernels;
    const draws = Float64Array.from(kernels, () => random.random());
    return draws.map((draw, i) => {
      const start = kernels[i]! * choices;
      let sum = 0;
      let index = 0;
      // The last running sum counts as 1.
      for (let c = 0; c < choices - 1; c++) {
        sum += rows[start + c]!;
        if (sum < draw) index++;
      }
      return index;
    });
  }
}
