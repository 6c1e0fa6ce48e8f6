import { UserError } from '../base/errors.js';

/** How engines and JavaScript itself say that there is no memory left. */
const SAID =
  /out of memory|allocation failed|invalid (typed )?array (buffer )?length|enlarge memory|memory access out of bounds/i;

/**
 * The error that a user can fix, where work on a batch of this shape failed for want of memory; any other error as it is.
 */
export function memoryHint(error: unknown, shape: readonly number[]): unknown {
  if (error instanceof UserError || !(error instanceof Error) || !SAID.test(error.message)) return error;
  const [images, height, width] = shape;
  return new UserError(
    `out of memory at a batch of ${images} images of ${width}×${height} (${error.message}); lower --batch-size, --image-size or --ahead`,
    { shape },
    { cause: error },
  );
}
