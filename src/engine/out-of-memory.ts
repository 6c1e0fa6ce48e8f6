import { UserError } from '../base/errors.js';

/** The messages of engines and of JavaScript itself when memory runs out; the wasm engine may say no more than that it ended. */
const SAID =
  /out of memory|allocation failed|invalid (typed )?array (buffer )?length|enlarge memory|memory access out of bounds|^aborted\(/i;

/**
 * An error that the user can fix if work on a batch of this shape ran out of memory; any other error unchanged.
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
