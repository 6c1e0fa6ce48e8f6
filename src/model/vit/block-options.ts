import { UserError } from '../../base/errors.js';
import type { Random } from '../../random/random-stream.js';

/** How the blocks of a model run while it trains. */
export interface BlockOptions {
  /**
   * Stochastic depth: the rate at which pictures skip the branches of the last block; it falls linearly to 0 in the first.
   * Default 0.
   */
  readonly dropPath?: number | undefined;
  /**
   * Gradient checkpointing: blocks keep their input alone and are computed once more for the gradient, which is the same bit
   * for bit. Default false.
   */
  readonly checkpointBlocks?: boolean | undefined;
}

/** @throws UserError for a rate of stochastic depth below 0, or from 1 up. */
export function checkBlockOptions({ dropPath = 0 }: BlockOptions): void {
  if (!(dropPath >= 0 && dropPath < 1))
    throw new UserError(`dropPath: expected a number from 0 up and below 1, got ${dropPath}`, { dropPath });
}

/**
 * Streams for the computations of one block, all with the same numbers: the first is `random` itself, so that what follows
 * draws on from there.
 *
 * @throws UserError for a stream that cannot be copied.
 */
export function copiesOf(random: Random): () => Random {
  const start = random.copy?.();
  if (!start?.copy)
    throw new UserError(
      'checkpointBlocks: expected a pass whose random stream has copy(), as randomStream has, got a plain function',
    );
  let next: Random | undefined = random;
  return () => {
    const own = next ?? start.copy!();
    next = undefined;
    return own;
  };
}
