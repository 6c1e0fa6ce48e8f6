import { UserError } from '../../base/errors.js';

/** How the blocks of a model run while it trains. */
export interface BlockOptions {
  /**
   * Stochastic depth: the rate at which pictures skip the branches of the last block; it falls linearly to 0 in the first.
   * Default 0.
   */
  readonly dropPath?: number | undefined;
}

/** @throws UserError for a rate of stochastic depth below 0, or from 1 up. */
export function checkBlockOptions({ dropPath = 0 }: BlockOptions): void {
  if (!(dropPath >= 0 && dropPath < 1))
    throw new UserError(`dropPath: expected a number from 0 up and below 1, got ${dropPath}`, { dropPath });
}
