import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../../../base/errors.js';
import { classRange } from '../../../data/class-range.js';
import { IGNORE_INDEX } from '../../../data/types.js';

/**
 * Refuses masks with a class that the logits lack: its one-hot row would be zero, and train silently.
 *
 * @throws UserError as PyTorch does ("Target 5 is out of bounds")
 */
export function checkClasses(logits: Tensor, masks: Tensor): void {
  const classes = logits.shape.at(-1)!;
  const { smallest, largest } = classRange(masks);
  if (smallest >= 0 && largest < classes) return;
  const wrong = smallest >= 0 ? largest : smallest;
  throw new UserError(
    `masks: expected the classes 0 to ${classes - 1} of the model, or ${IGNORE_INDEX} for ignored, got ${wrong}; see the ids that decode is given`,
    { class: wrong, classes },
  );
}
